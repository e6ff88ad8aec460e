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
  /** Applied to the gradients of all parameters together, before any update. Default: none. */
  transform?(grads: readonly Value[]): readonly Value[]
  /** One update: the new parameter and the new state, by the names in `state`. */
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

/** Options of {@link adam}. */
export interface AdamOptions {
  /** >= 0. */
  readonly lr: number
  /** In [0, 1). Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number]
  /** > 0. Default 1e-8. */
  readonly epsilon?: number
}

const adamEntries = {
  lr: nonNegative,
  betas: v.optional(v.tuple([averagingFactor, averagingFactor]), [0.9, 0.999]),
  epsilon: v.optional(positive, 1e-8),
}

/**
 * Adam (Kingma & Ba 2015), as torch.optim.Adam without weight decay. The bias corrections 1 − βⁿ are state of their own,
 * averages of ones: in float32 that is exact to rounding, where 1 − exp(n log β) is not.
 * @throws FEP_BAD_CONFIG
 */
export const adam = (options: AdamOptions): Optimizer =>
  adaptive('adam', parse(v.strictObject(adamEntries), options, 'adam'), 0)

/**
 * AdamW (Loshchilov & Hutter 2019), as torch.optim.AdamW with one group: p ← p (1 − lr · decay), then Adam's update. The
 * decay is of every parameter, biases included.
 * @param options as {@link adam}; weightDecay >= 0, default 0.01
 * @throws FEP_BAD_CONFIG
 */
export function adamW(options: AdamOptions & { readonly weightDecay?: number }): Optimizer {
  const schema = v.strictObject({ ...adamEntries, weightDecay: v.optional(nonNegative, 0.01) })
  const { weightDecay, ...rest } = parse(schema, options, 'adamW')
  return adaptive('adamw', rest, weightDecay)
}

function adaptive(
  name: string,
  { lr, betas: [b1, b2], epsilon }: Required<AdamOptions>,
  decay: number,
): Optimizer {
  const average = (old: Value, factorOf: number, x: Value | number) =>
    add(mul(old, factorOf), typeof x === 'number' ? x * (1 - factorOf) : mul(x, 1 - factorOf))
  return {
    name,
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
      const decayed = decay === 0 ? param : mul(param, sub(1, mul(step, decay)))
      return {
        param: sub(decayed, mul(div(m, scale), div(step, correction1))),
        state: { m, v: second, correction1, correction2 },
      }
    },
  }
}
