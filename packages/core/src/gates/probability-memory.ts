/** The τ form: a leaky integrator of the gate's own probabilities, added to its logits. */
import type { Value } from '../graph/builder.js'
import { add, linearScan, mul, softmax, stopGradient, sub } from '../graph/expressions.js'
import type { ResolvedGateConfig } from './config.js'
import { keepOf } from './memory.js'

type ProbabilityMemory = Extract<NonNullable<ResolvedGateConfig['memory']>, { readonly kind: 'probability' }>

/**
 * s_t = leak · s_{t−1} + softmax(z_t).
 * @param z logits without Π (E, T, B)
 * @param state s before the first step (E, 1, B), or 0
 * @param reset bool (T, B)
 * @returns s (E, T, B) and its last slice (E, 1, B)
 */
export function integrateProbabilities(
  { leak, detach }: ProbabilityMemory,
  z: Value,
  state: Value | number,
  reset?: Value,
): { state: Value; last: Value } {
  const p = softmax(z, 0)
  const decay = z.builder.constant(leak, [1, 1, 1])
  const { h, last } = linearScan(reset ? mul(decay, keepOf(reset)) : decay, p, state, { axis: 1 })
  return { state: detach ? add(p, stopGradient(sub(h, p))) : h, last }
}
