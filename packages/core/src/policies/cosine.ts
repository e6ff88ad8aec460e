/** Thresholds on cosines with prototypes (the agent skill of paper B). */
import type { Value } from '../graph/builder.js'
import {
  cast,
  div,
  expand,
  greater,
  matmul,
  max,
  mul,
  neg,
  permute,
  reduceMax,
  reshape,
  sigmoid,
  sqrt,
  stopGradient,
  sub,
  sum,
} from '../graph/expressions.js'
import type { Dim } from '../graph/types.js'
import { accumulate, cutoffsInForce } from './average.js'
import type { PolicyOf } from './config.js'
import { countValid, type Decision, distance, maskOf, type PolicyOperands, validRow } from './decision.js'
import { above, indicesOf } from './threshold.js'

/** Norms below it count as this. */
const LEAST_NORM = 1e-12

/** Columns of x (f, N) at length 1; zeros stay zeros, with a gradient that is finite. */
function normalized(x: Value): Value {
  return div(x, sqrt(max(LEAST_NORM ** 2, sum(mul(x, x), 0, true))))
}

/**
 * Cosines of tokens and prototypes (E, N).
 * @param x (d, N)
 * @param prototypes (E, d)
 */
export const cosineScores = (x: Value, prototypes: Value): Value =>
  matmul(permute(normalized(permute(prototypes))), normalized(x))

/** Decides by cutoffs on cosines; in training it accumulates mean − std of the scores. */
export function byCosine(policy: PolicyOf<'cosine-threshold'>, operands: PolicyOperands): Decision {
  const { logits, state, valid, training } = operands
  const cutoffs = cutoffsInForce(state)
  const mask = maskOf(above(policy, logits, cutoffs), valid)
  const load = sum(mask, 1)
  return {
    mask,
    weights: policy.weights === 'binary' ? mask : mul(sigmoid(logits), mask),
    shared: expand(logits.builder.constant(1, [1, 1]), [1, logits.shape[1] as Dim]),
    indices: indicesOf(logits, mask),
    margin: neg(reduceMax(neg(distance(stopGradient(logits), cutoffs)), 0, true)),
    load,
    losses: {},
    state: training ? spread(logits, valid, state, load) : state,
  }
}

/** mean − std over tokens that are real, std with n − 1; one token has no spread, and changes nothing. */
function spread(logits: Value, valid: Value | undefined, state: PolicyOperands['state'], load: Value) {
  const z = stopGradient(logits)
  const real = valid && cast(validRow(valid, z.shape[1] as Dim), 'float32')
  const over = (x: Value) => sum(real ? mul(x, real) : x, 1, true)
  const n = countValid(z, valid)
  const mean = div(over(z), max(1, n))
  const d = sub(z, mean)
  const std = sqrt(div(over(mul(d, d)), max(1, sub(n, 1))))
  const enough = cast(greater(n, 1), 'float32')
  return accumulate(state, mul(reshape(sub(mean, std), [z.shape[0] as number]), enough), enough, load)
}
