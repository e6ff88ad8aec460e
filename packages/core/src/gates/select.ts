/** Selection: logits (E, N) become weights, indices and a margin. Equal scores: the lower index wins. */
import type { Value } from '../graph/builder.js'
import {
  cast,
  div,
  equal,
  exp,
  expand,
  mul,
  reshape,
  slice,
  softmax,
  stopGradient,
  sub,
  sum,
  topk,
} from '../graph/expressions.js'
import type { Dim } from '../graph/types.js'
import type { ResolvedGateConfig } from './config.js'

/** What routing returns, features first. */
export interface Selected {
  /** (E, N): zero where not selected; rows of dense weights sum to 1. */
  readonly weights: Value
  /** int32 (k, N), best first; k = 1 for dense selection. */
  readonly indices: Value
  /** (1, N): score of the last selected expert minus that of the first one left out. */
  readonly margin: Value
}

/** Margin where no expert is left out: the largest finite float32. */
export const NO_CONTENDER = 3.4028234663852886e38

/** Applies a selection policy. */
export function selectExperts({ select, experts }: ResolvedGateConfig, logits: Value): Selected {
  const builder = logits.builder
  const k = select.kind === 'dense' ? 1 : select.k
  const tokens = logits.shape[1] as Dim
  const ranked = topk(logits, Math.min(k + 1, experts), 0)
  const indices = slice(ranked.indices, 0, 0, k)
  const margin =
    k < experts
      ? sub(slice(ranked.values, 0, k - 1, k), slice(ranked.values, 0, k, k + 1))
      : expand(builder.constant(NO_CONTENDER, [1, 1]), [1, tokens])
  if (select.kind === 'dense') return { weights: softmax(logits, 0), indices, margin }
  const classes = builder.constant(
    Array.from({ length: experts }, (_, i) => i),
    [1, experts, 1],
    'int32',
  )
  const mask = sum(cast(equal(reshape(indices, [k, 1, tokens]), classes), 'float32'), 0)
  if (select.softmax === 'before') return { weights: mul(softmax(logits, 0), mask), indices, margin }
  const best = stopGradient(slice(ranked.values, 0, 0, 1))
  const raw = mul(exp(sub(logits, best)), mask)
  return { weights: div(raw, sum(raw, 0, true)), indices, margin }
}
