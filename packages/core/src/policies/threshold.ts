/** Expert Threshold and expert choice (paper B): one ranking of tokens per expert serves warm-up, capacity and cutoffs. */
import type { Value } from '../graph/builder.js'
import {
  cast,
  div,
  gather,
  greater,
  greaterOrEqual,
  max,
  min,
  mul,
  neg,
  reduceMax,
  reshape,
  stopGradient,
  sub,
  sum,
  topk,
  where,
} from '../graph/expressions.js'
import { accumulate, cutoffsInForce } from './average.js'
import type { PolicyOf } from './config.js'
import { type Decision, distance, LOWEST, less, maskOf, type PolicyOperands } from './decision.js'
import { firstOf, kthLargest, poolsOf, type Ranking, rankTokens, valueAt } from './ranking.js'
import { allWeights } from './weights.js'

type Thresholds = PolicyOf<'threshold'> | PolicyOf<'cosine-threshold'>

/** bool (E, N): z ≥ c, or z > c. */
export function above({ comparison }: Thresholds, logits: Value, cutoffs: Value): Value {
  const z = stopGradient(logits)
  return comparison === '>=' ? greaterOrEqual(z, cutoffs) : greater(z, cutoffs)
}

/** Experts of each token, best first, −1 where there are no more (E, N). */
export function indicesOf(logits: Value, mask: Value): Value {
  const chosen = where(greater(mask, 0), stopGradient(logits), LOWEST)
  const ranked = topk(chosen, logits.shape[0] as number, 0)
  return where(greater(ranked.values, LOWEST / 2), ranked.indices, -1)
}

/** Least element over experts (1, N). */
const nearest = (distances: Value): Value => neg(reduceMax(neg(distances), 0, true))

/** Decides by cutoffs in force; in training also by capacity and warm-up, and accumulates. */
export function byThreshold(policy: PolicyOf<'threshold'>, operands: PolicyOperands): Decision {
  const { logits, state, valid, training } = operands
  const cutoffs = cutoffsInForce(state)
  const passing = maskOf(above(policy, logits, cutoffs), valid)
  if (!training) {
    const margin = nearest(distance(stopGradient(logits), cutoffs))
    return decisionOf(policy, operands, { mask: passing, margin }, state)
  }
  const { capacity, warmUp } = policy
  const pools = poolsOf(logits.shape[1], operands.steps, null)
  const most = (k: number) => Math.trunc(k * (1 + (capacity ?? 0)))
  const ranking = rankTokens(policy, pools, logits, valid, most)
  const warm = less(state.steps as Value, warmUp)
  const wanted = sum(passing, 1, true)
  const limits = capacity === null ? undefined : limitsOf(ranking, pools.size, capacity)
  const clamped = limits && min(max(wanted, limits.least), limits.most)
  const taken = warmUp > 0 ? where(warm, ranking.k, clamped ?? wanted) : clamped
  const best = taken && maskOf(greater(pools.join(firstOf(ranking, taken, pools.size)), 0), valid)
  const mask = !best ? passing : limits ? best : where(warm, best, passing)
  const cutoff = reshape(kthLargest(ranking), [policy.experts])
  const decision = decisionOf(
    policy,
    operands,
    { mask, margin: nearest(distance(stopGradient(logits), cutoffs)) },
    accumulated(state, cutoff, ranking, mask),
  )
  if (!clamped) return decision
  const moved = cast(greater(distance(wanted, clamped), 0), 'float32')
  const counted = warmUp > 0 ? mul(moved, sub(1, cast(warm, 'float32'))) : moved
  return { ...decision, clamped: reshape(counted, [policy.experts]) }
}

/** ⌊k(1 ∓ C)⌋ as the paper's code has it: in doubles, looked up for every k that padding may leave. */
function limitsOf({ k, full }: Ranking, tokens: number, capacity: number): { least: Value; most: Value } {
  const limit = (sign: -1 | 1) => {
    const of = (n: number) => Math.min(Math.max(Math.trunc(n * (1 + sign * capacity)), 0), tokens)
    const table = k.builder.constant(
      Array.from({ length: full + 1 }, (_, n) => of(n)),
      [full + 1],
    )
    return gather(table, cast(k, 'int32'))
  }
  return { least: limit(-1), most: limit(1) }
}

/** Each expert takes its k best tokens of each pool. */
export function byExpertChoice(policy: PolicyOf<'expert-choice'>, operands: PolicyOperands): Decision {
  const { logits, state, valid, training } = operands
  const pools = poolsOf(logits.shape[1], operands.steps, policy.pool)
  const ranking = rankTokens(policy, pools, logits, valid, (k) => k + 1)
  const mask = maskOf(greater(pools.join(firstOf(ranking, ranking.k, pools.size)), 0), valid)
  const last = kthLargest(ranking)
  const scores = pools.split(stopGradient(logits))
  const next = valueAt(ranking, ranking.k, LOWEST)
  const taken = greater(pools.split(mask), 0)
  const margin = nearest(pools.join(where(taken, sub(scores, next), sub(last, scores))))
  if (!training) return decisionOf(policy, operands, { mask, margin }, state)
  const rows = (v: Value) => reshape(v, [policy.experts, pools.count])
  const counted = cast(greater(rows(ranking.k), 0), 'float32')
  const cutoff = div(sum(rows(last), 1), max(1, sum(counted, 1)))
  return decisionOf(policy, operands, { mask, margin }, accumulated(state, cutoff, ranking, mask))
}

function accumulated(state: PolicyOperands['state'], cutoff: Value, { k }: Ranking, mask: Value) {
  const counts = cast(greater(reduceMax(k), 0), 'float32')
  return accumulate(state, cutoff, counts, sum(mask, 1))
}

function decisionOf(
  policy: PolicyOf<'threshold'> | PolicyOf<'expert-choice'>,
  { logits, valid }: PolicyOperands,
  { mask, margin }: { readonly mask: Value; readonly margin: Value },
  state: PolicyOperands['state'],
): Decision {
  const { all, shared } = allWeights(policy.weights, logits, policy.granularity, valid)
  const selected = mul(all, mask)
  const weights = policy.divideByFanout ? div(selected, max(1, sum(mask, 0, true))) : selected
  return {
    mask,
    weights,
    shared,
    indices: indicesOf(logits, mask),
    margin,
    load: sum(mask, 1),
    losses: {},
    state,
  }
}
