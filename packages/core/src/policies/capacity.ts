/** Capacity of token choice (GShard, Switch Transformer): experts that are full drop tokens. Training only. */
import type { Value } from '../graph/builder.js'
import {
  cast,
  cumsum,
  expand,
  gather,
  greater,
  mul,
  scatterElementsAdd,
  stopGradient,
  sum,
  topk,
  where,
} from '../graph/expressions.js'
import type { CapacityConfig, PolicyOf } from './config.js'
import { countTo, LOWEST, less, type PolicyOperands } from './decision.js'
import { poolsOf } from './ranking.js'

/** Tokens that an expert may take: ⌈factor · k N / E⌉, at least `minimum`. */
export function capacityOf(
  { factor, minimum }: Required<CapacityConfig>,
  { k, experts }: { readonly k: number; readonly experts: number },
  tokens: number,
): number {
  return Math.max(Math.ceil((tokens / experts) * (factor * k)), minimum)
}

/**
 * What is left of a selection (E, N) when every expert keeps what it has room for.
 * @param scores (E, N) before they are normalized over the selected: the largest stay, where `keep` says so
 */
export function withinCapacity(
  policy: PolicyOf<'token-choice'>,
  capacity: Required<CapacityConfig>,
  { steps, valid }: PolicyOperands,
  scores: Value,
  wanted: Value,
): Value {
  const pool = poolsOf(wanted.shape[1], steps, null)
  const { builder } = wanted
  const [experts, tokens] = [policy.experts, pool.size]
  const ordered = pool.split(wanted)
  const most = capacityOf(capacity, policy, tokens)
  if (!valid && most >= tokens) return wanted
  const room = valid
    ? gather(
        builder.constant(
          Array.from({ length: tokens + 1 }, (_, n) => capacityOf(capacity, policy, n)),
          [tokens + 1],
        ),
        sum(cast(valid, 'int32')),
      )
    : builder.constant(most)
  if (capacity.keep === 'position') {
    const before = cumsum(ordered, 1, { exclusive: true })
    return pool.join(mul(ordered, cast(less(before, room), 'float32')))
  }
  const ranks = Math.min(most, tokens)
  const best = topk(where(greater(ordered, 0), stopGradient(pool.split(scores)), LOWEST), ranks, 1)
  const order = countTo(builder, ranks, [1, ranks], 'float32')
  const taken = expand(cast(less(order, room), 'float32'), [experts, ranks])
  const none = expand(builder.constant(0, [1, 1]), [experts, tokens])
  return pool.join(mul(ordered, scatterElementsAdd(none, best.indices, taken, 1)))
}
