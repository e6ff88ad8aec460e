/** Selection: logits (E, N) become weights, indices and a margin. Equal scores: the lower index wins. */
import type { Value } from '../graph/builder.js'
import {
  cast,
  div,
  equal,
  exp,
  expand,
  greater,
  max,
  min,
  mul,
  neg,
  reduceMax,
  reshape,
  slice,
  softmax,
  stopGradient,
  sub,
  sum,
  topk,
  where,
} from '../graph/expressions.js'
import type { Dim } from '../graph/types.js'
import type { ResolvedGateConfig } from './config.js'

/** What routing returns, features first. */
export interface Selected {
  /** (E, N): zero where not selected; rows of dense weights sum to 1. */
  readonly weights: Value
  /** int32 (k, N), best first; k = 1 for dense selection, E for spikes, where −1 fills up. */
  readonly indices: Value
  /** (1, N): score of the last selected expert minus that of the first one left out; for spikes, the least |U − θ|. */
  readonly margin: Value
}

/** Margin where no expert is left out: the largest finite float32. */
export const NO_CONTENDER = 3.4028234663852886e38

/** The k best experts of each token. */
export interface BestExperts {
  /** (1, N): the largest score. */
  readonly best: Value
  /** int32 (k, N), best first. */
  readonly indices: Value
  /** (1, N) */
  readonly margin: Value
  /** (E, N): 1 where selected, else 0; emitted on call. */
  readonly mask: () => Value
}

/** Ranks the experts of each token by score (E, N). */
export function bestExperts(scores: Value, k: number): BestExperts {
  const [experts, tokens] = scores.shape as [number, Dim]
  const { values, indices } = topk(scores, Math.min(k + 1, experts), 0)
  const chosen = slice(indices, 0, 0, k)
  return {
    best: slice(values, 0, 0, 1),
    indices: chosen,
    margin:
      k < experts
        ? sub(slice(values, 0, k - 1, k), slice(values, 0, k, k + 1))
        : expand(scores.builder.constant(NO_CONTENDER, [1, 1]), [1, tokens]),
    mask: () => memberMask(chosen, experts),
  }
}

/** int32 (k, N) as (E, N): 1 for every expert that is named. */
export function memberMask(indices: Value, experts: number): Value {
  const [k, tokens] = indices.shape as [number, Dim]
  const classes = indices.builder.constant(
    Array.from({ length: experts }, (_, i) => i),
    [1, experts, 1],
    'int32',
  )
  return sum(cast(equal(reshape(indices, [k, 1, tokens]), classes), 'float32'), 0)
}

/** Applies a selection policy. `drive` (E, N): membranes, where spikes select. */
export function selectExperts(config: ResolvedGateConfig, logits: Value, drive?: Value): Selected {
  const { select } = config
  if (select.kind === 'spike') return selectSpiking(config, logits, drive as Value)
  const k = select.kind === 'dense' ? 1 : select.k
  const { best, indices, margin, mask: selected } = bestExperts(logits, k)
  if (select.kind === 'dense') return { weights: softmax(logits, 0), indices, margin }
  const mask = selected()
  const scaled = (weights: Value) => (select.scale === 1 ? weights : mul(weights, select.scale))
  if (select.softmax === 'before') return { weights: scaled(mul(softmax(logits, 0), mask)), indices, margin }
  const raw = mul(exp(sub(logits, stopGradient(best))), mask)
  return { weights: scaled(div(raw, sum(raw, 0, true))), indices, margin }
}

/** Below every logit, and far enough from the end of float32 to subtract from. */
const LOWEST = -1e29

/** The experts whose membrane stands above θ; possibly none. */
function selectSpiking(
  { select, memory, experts }: ResolvedGateConfig,
  logits: Value,
  drive: Value,
): Selected {
  const { threshold } = memory as Extract<typeof memory, { readonly threshold: number }>
  const ranked = topk(drive, experts, 0)
  const indices = where(greater(ranked.values, threshold), ranked.indices, -1)
  const u = sub(drive, threshold)
  const margin = neg(reduceMax(min(u, neg(u)), 0, true))
  const crossed = greater(drive, threshold)
  const mask = cast(crossed, 'float32')
  if (select.kind === 'spike' && select.softmax === 'before')
    return { weights: mul(softmax(logits, 0), mask), indices, margin }
  const scores = where(crossed, logits, LOWEST)
  const raw = mul(exp(sub(scores, stopGradient(reduceMax(scores, 0, true)))), mask)
  // The best of the selected counts 1, so only an empty selection has less, and gets zeros.
  return { weights: div(raw, max(sum(raw, 0, true), 1)), indices, margin }
}
