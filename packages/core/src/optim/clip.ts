/** Clipping of gradients by their global norm. */
import * as v from 'valibot'
import { add, div, min, mul, sqrt, sum } from '../graph/expressions.js'
import { parse, positive } from '../schema.js'
import type { Optimizer } from './optimizers.js'

/** Keeps the quotient finite where all gradients are zero; the number is PyTorch's. */
const EPSILON = 1e-6

/**
 * An optimizer that first scales all gradients by min(1, maxNorm / (‖g‖ + 1e-6)), ‖g‖ the norm of all of them together:
 * torch.nn.utils.clip_grad_norm_ before the step. Accumulated micro-batches are clipped once, as their mean.
 * @param options maxNorm > 0
 * @throws FEP_BAD_CONFIG
 * @example clipGlobalNorm(adamW({ lr: 3e-4 }), { maxNorm: 1 })
 */
export function clipGlobalNorm(optimizer: Optimizer, options: { readonly maxNorm: number }): Optimizer {
  const { maxNorm } = parse(v.strictObject({ maxNorm: positive }), options, 'clipGlobalNorm')
  return {
    ...optimizer,
    transform: (grads) => {
      const [first, ...rest] = grads.map((g) => sum(mul(g, g)))
      if (!first) return grads
      const norm = sqrt(rest.reduce(add, first))
      const factor = min(div(maxNorm, add(norm, EPSILON)), 1)
      const scaled = grads.map((g) => mul(g, factor))
      return optimizer.transform ? optimizer.transform(scaled) : scaled
    },
  }
}
