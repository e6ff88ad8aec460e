/** Experts that choose: the best tokens of each one, within pools of sequences. All in integers and comparisons. */
import { FepError } from '../errors.js'
import type { Value } from '../graph/builder.js'
import {
  cast,
  div,
  equal,
  expand,
  mul,
  permute,
  reshape,
  scatterElementsAdd,
  stopGradient,
  sub,
  sum,
  topk,
  where,
} from '../graph/expressions.js'
import type { ResolvedShare } from './config.js'
import { countTo, LOWEST, less } from './decision.js'
import { requireTokensPerExpert } from './share.js'

/** (E, N) as rows of (expert, pool), and back. Within a row tokens are in order of (sequence, time). */
export interface Pools {
  /** Number of pools. */
  readonly count: number
  /** Tokens of a pool, padding included. */
  readonly size: number
  /** (R, N), R any, → (R · pools, size) */
  split(x: Value): Value
  /** (R · pools, size) → (R, N) */
  join(x: Value): Value
}

/**
 * Lays tokens out in pools.
 * @param tokens N = T · B, a number
 * @param sequences sequences of a pool; null: all
 * @throws FEP_BAD_GRAPH where the batch is symbolic; FEP_BAD_FEED where it is no multiple of the pool
 */
export function poolsOf(tokens: unknown, steps: number, sequences: number | null): Pools {
  if (typeof tokens !== 'number')
    throw new FepError(
      'FEP_BAD_GRAPH',
      `experts that choose among tokens must know how many there are, not ${String(tokens)}; bind the batch first`,
    )
  const batch = steps === 0 ? 0 : tokens / steps
  const each = sequences ?? batch
  if (each === 0 || batch % each !== 0)
    throw new FepError('FEP_BAD_FEED', `a batch of ${batch} sequences is no multiple of the pool, ${each}`)
  const count = batch / each
  return {
    count,
    size: each * steps,
    split: (x) => {
      const rows = x.shape[0] as number
      const apart = permute(reshape(x, [rows, steps, count, each]), [0, 2, 3, 1])
      return reshape(apart, [rows * count, each * steps])
    },
    join: (x) => {
      const rows = (x.shape[0] as number) / count
      return reshape(permute(reshape(x, [rows, count, each, steps]), [0, 3, 1, 2]), [rows, tokens])
    },
  }
}

/** The best tokens of each row, and how many are meant to be taken. */
export interface Ranking {
  /** (rows, most), falling. */
  readonly values: Value
  readonly indices: Value
  /** k of each row, float (rows, 1). */
  readonly k: Value
  /** k without padding. */
  readonly full: number
}

/**
 * Ranks the tokens of each expert in each pool.
 * @param most ranks that are looked at, from k without padding
 */
export function rankTokens(
  share: ResolvedShare,
  pools: Pools,
  logits: Value,
  valid: Value | undefined,
  most: (k: number) => number,
): Ranking {
  const { builder } = logits
  const experts = logits.shape[0] as number
  const full = requireTokensPerExpert(share, pools.size)
  const scores = stopGradient(pools.split(logits))
  const rows = experts * pools.count
  const ranks = Math.min(pools.size, Math.max(full, most(full)))
  if (!valid) {
    const best = topk(scores, ranks, 1)
    return { ...best, full, k: expand(builder.constant(full, [1, 1]), [rows, 1]) }
  }
  const real = pools.split(reshape(valid, [1, logits.shape[1] as number]))
  const everywhere = reshape(
    expand(reshape(real, [1, pools.count, pools.size]), [experts, pools.count, pools.size]),
    [rows, pools.size],
  )
  const best = topk(where(everywhere, scores, LOWEST), ranks, 1)
  const counted = sum(cast(everywhere, 'int32'), 1, true)
  const { granularity: g, expansion: x, sharedExpert } = share
  const k = sharedExpert ? div(mul(counted, g - 1), g * x) : div(counted, x)
  return { ...best, full, k: cast(k, 'float32') }
}

/** The element of rank `at` (float (rows, 1)) in each row, or `otherwise` where there is no such rank. */
export function valueAt({ values }: Ranking, at: Value, otherwise = 0): Value {
  const ranks = values.shape[1] as number
  const hit = equal(cast(at, 'int32'), countTo(values.builder, ranks, [1, ranks]))
  const found = sum(where(hit, values, 0), 1, true)
  return otherwise === 0 ? found : where(less(at, ranks), found, otherwise)
}

/** The k-th largest of each row (rows, 1): its cutoff. */
export const kthLargest = (ranking: Ranking): Value => valueAt(ranking, sub(ranking.k, 1))

/** 1 where a token is among the first `take` (rows, 1) of its row, (rows, size). */
export function firstOf({ values, indices }: Ranking, take: Value, size: number): Value {
  const [rows, ranks] = values.shape as [number, number]
  const order = countTo(values.builder, ranks, [1, ranks], 'float32')
  const taken = cast(less(order, take), 'float32')
  const none = expand(values.builder.constant(0, [1, 1]), [rows, size])
  return scatterElementsAdd(none, indices, taken, 1)
}
