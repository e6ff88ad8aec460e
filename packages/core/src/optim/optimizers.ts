/**
 * Optimizers as expressions: parameters, gradients and explicit state in, new parameters and state out. The arithmetic
 * is elementwise, so one packed vector holds all parameters and one update serves them.
 */
import * as v from 'valibot'
import type { Value } from '../graph/builder.js'
import { add, div, mul, sqrt, sub } from '../graph/expressions.js'
import { averagingFactor, nonNegative, parse, positive } from '../schema.js'

/** A state tensor of an optimizer; starts at zero. */
export interface OptimizerState {
  readonly name: string
  /** `parameter`: shaped like the parameter. `scalar`: one number. */
  readonly shape: 'parameter' | 'scalar'
}

/** A pure update rule. */
export interface Optimizer {
  readonly name: string
  /** Default learning rate; a trainer may override it per step. */
  readonly lr: number
  readonly state: readonly OptimizerState[]
  update(operands: {
    readonly param: Value
    readonly grad: Value
    readonly lr: Value
    readonly state: Readonly<Record<string, Value>>
  }): { param: Value; state: Record<string, Value> }
}

/**
 * Stochastic gradient descent, as torch.optim.SGD: velocity ← momentum · velocity + g; p −= lr · velocity.
 * @param options lr >= 0; momentum in [0, 1), default 0
 * @throws FEP_BAD_CONFIG
 */
export function sgd(options: { readonly lr: number; readonly momentum?: number }): Optimizer {
  const { lr, momentum } = parse(
    v.strictObject({ lr: nonNegative, momentum: v.optional(averagingFactor, 0) }),
    options,
    'sgd',
  )
  return {
    name: 'sgd',
    lr,
    state: momentum === 0 ? [] : [{ name: 'velocity', shape: 'parameter' }],
    update: ({ param, grad, lr: step, state }) => {
      if (momentum === 0) return { param: sub(param, mul(grad, step)), state: {} }
      const velocity = add(mul(state.velocity as Value, momentum), grad)
      return { param: sub(param, mul(velocity, step)), state: { velocity } }
    },
  }
}

/**
 * Adam (Kingma & Ba 2015), as torch.optim.Adam without weight decay. The bias corrections 1 − βⁿ are state of their own,
 * averages of ones: in float32 that is exact to rounding, where 1 − exp(n log β) is not.
 * @param options lr >= 0; betas in [0, 1), default [0.9, 0.999]; epsilon > 0, default 1e-8
 * @throws FEP_BAD_CONFIG
 */
export function adam(options: {
  readonly lr: number
  readonly betas?: readonly [number, number]
  readonly epsilon?: number
}): Optimizer {
  const schema = v.strictObject({
    lr: nonNegative,
    betas: v.optional(v.tuple([averagingFactor, averagingFactor]), [0.9, 0.999]),
    epsilon: v.optional(positive, 1e-8),
  })
  const { lr, betas, epsilon } = parse(schema, options, 'adam')
  const [b1, b2] = betas
  const average = (old: Value, factorOf: number, x: Value | number) =>
    add(mul(old, factorOf), typeof x === 'number' ? x * (1 - factorOf) : mul(x, 1 - factorOf))
  return {
    name: 'adam',
    lr,
    state: [
      { name: 'm', shape: 'parameter' },
      { name: 'v', shape: 'parameter' },
      { name: 'correction1', shape: 'scalar' },
      { name: 'correction2', shape: 'scalar' },
    ],
    update: ({ param, grad, lr: step, state }) => {
      const m = average(state.m as Value, b1, grad)
      const second = average(state.v as Value, b2, mul(grad, grad))
      const correction1 = average(state.correction1 as Value, b1, 1)
      const correction2 = average(state.correction2 as Value, b2, 1)
      const scale = add(div(sqrt(second), sqrt(correction2)), epsilon)
      return {
        param: sub(param, mul(div(m, scale), div(step, correction1))),
        state: { m, v: second, correction1, correction2 },
      }
    },
  }
}
