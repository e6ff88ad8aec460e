/** Temporal memory β (paper A §3.1): a leaky integrator per dimension, h_t = β ⊙ h_{t−1} + x_t. */
import type { GraphBuilder, Value } from '../graph/builder.js'
import { add, cast, linearScan, mul, not, reshape, sigmoid } from '../graph/expressions.js'
import type { Dim } from '../graph/types.js'
import type { ResolvedGateConfig } from './config.js'
import type { ParameterSpec } from './parameters.js'

/** A memory with a decay per dimension or per expert. */
export type Decaying = Extract<NonNullable<ResolvedGateConfig['memory']>, { readonly beta: unknown }>

/** `beta_raw` (d), or (E) for a membrane per expert: β = σ(beta_raw), where β is learned. */
export function memoryParams(memory: ResolvedGateConfig['memory']): ParameterSpec[] {
  if (!memory || !('beta' in memory && memory.learned)) return []
  const dim = memory.beta.length
  return [
    {
      name: 'beta_raw',
      shape: [dim],
      fanIn: dim,
      fanOut: dim,
      kind: 'values',
      values: memory.beta.map((b) => Math.log(b / (1 - b))),
    },
  ]
}

/** β as (d, 1, 1), or (E, 1, 1). */
export function decayOf(
  builder: GraphBuilder,
  memory: Decaying,
  params: Readonly<Record<string, Value>>,
): Value {
  const dim = memory.beta.length
  return memory.learned
    ? sigmoid(reshape(params.beta_raw as Value, [dim, 1, 1])).named('beta')
    : builder.constant(memory.beta, [dim, 1, 1]).named('beta')
}

/**
 * Runs the membrane over a sequence.
 * @param x (d, T, B)
 * @param h0 (d, 1, B), or 0
 * @param reset bool (T, B): true clears the state before the token is taken in
 * @returns h (d, T, B) and its last slice (d, 1, B)
 */
export function integrate(
  beta: Value,
  x: Value,
  h0: Value | number,
  reset?: Value,
): { h: Value; last: Value } {
  const keep = reset && keepOf(reset)
  const { h, last } = linearScan(keep ? mul(beta, keep) : beta, x, h0, { axis: 1 })
  return { h: h.named('h'), last: last.named('h_last') }
}

/** 0 where a document starts, else 1: (1, T, B) of a bool (T, B). */
export const keepOf = (reset: Value): Value => reshape(cast(not(reset), 'float32'), [1, ...reset.shape])

/** The membrane one step ahead, for a token that has not come yet: β h + x̂, token by token. */
export function advance(beta: Value, h: Value, xNext: Value): Value {
  return add(mul(reshape(beta, [beta.shape[0] as Dim, 1]), h), xNext)
}
