/** Π that a gate tracks by itself: the error variance of each expert is part of a sequence's state. Loaded on demand. */
import type { GraphBuilder, Value } from '../graph/builder.js'
import {
  add,
  cast,
  clip,
  div,
  exp,
  greaterOrEqual,
  linearScan,
  log,
  max,
  mul,
  reshape,
  sigmoid,
  sub,
} from '../graph/expressions.js'
import type { GateOperands } from './compose.js'
import type { ResolvedGateConfig } from './config.js'
import { keepOf } from './memory.js'

type Precision = NonNullable<ResolvedGateConfig['precision']>

/**
 * var ← m var + (1 − m) error, wherever there is one.
 * @param operands `precision` are errors, what was told of each expert before the token is routed (E, T, B): >= 0, or −1 for
 * nothing; the state is how far the variances are from where they start (E, 1, B)
 * @returns Π^κ (E, T, B), and the state after the last step
 */
export function trackPrecision(
  builder: GraphBuilder,
  config: Precision,
  { params, precision: errors, state = {}, reset }: GateOperands,
): { precision: Value; last: Value } {
  return builder.scope('precision', () => track(config, params, errors as Value, state.precision ?? 0, reset))
}

function track(
  { momentum, epsilon, initialVariance, learned }: Precision,
  params: Readonly<Record<string, Value>>,
  errors: Value,
  state: Value | number,
  reset?: Value,
): { precision: Value; last: Value } {
  const { builder } = errors
  const scalar = (name: string) => reshape(params[`precision.${name}`] as Value, [1, 1, 1])
  const forget = learned ? sub(1, sigmoid(scalar('momentum_raw'))) : builder.constant(1 - momentum, [1, 1, 1])
  const told = mul(cast(greaterOrEqual(errors, 0), 'float32'), forget)
  const keep = sub(1, told)
  const change = mul(told, sub(clip(errors, 0, LARGEST), initialVariance))
  const { h, last } = linearScan(reset ? mul(keep, keepOf(reset)) : keep, change, state, { axis: 1 })
  const variance = add(max(add(h, initialVariance), 0), epsilon)
  const precision = learned
    ? exp(mul(log(div(1, variance)), exp(clip(scalar('exponent_raw'), -5, 2))))
    : div(1, variance)
  return { precision, last }
}

/** Errors beyond it count as it: their sums stay finite. */
const LARGEST = 1e12
