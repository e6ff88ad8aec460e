/** The average of cutoffs, inside graphs: the cutoffs in force, accumulators, and what an optimizer step makes of them. */
import type { Value } from '../graph/builder.js'
import {
  add,
  and,
  cast,
  div,
  expand,
  greater,
  greaterOrEqual,
  max,
  min,
  mul,
  reshape,
  where,
} from '../graph/expressions.js'

type Values = Readonly<Record<string, Value>>
const part = (state: Values, name: string): Value => state[name] as Value

/** Cutoffs in force (E, 1): bias-corrected where the state has a correction. */
export function cutoffsInForce(state: Values): Value {
  const raw = part(state, 'cutoff')
  const column = (v: Value) => reshape(v, [raw.shape[0] as number, 1])
  const correction = state.correction
  if (!correction) return column(raw)
  const seen = greater(correction, 0)
  return column(div(raw, where(seen, correction, 1)))
}

/**
 * Adds a micro-batch to the accumulators.
 * @param cutoffs (E), 0 where `counts` is
 * @param counts scalar: 1, or 0 where the micro-batch had nothing to say
 * @param load (E): tokens
 */
export const accumulate = (state: Values, cutoffs: Value, counts: Value, load: Value): Values => ({
  ...state,
  total: add(part(state, 'total'), cutoffs),
  count: add(part(state, 'count'), counts),
  taken: add(part(state, 'taken'), load),
})

/** Options of {@link averageOnce}. */
export interface AveragingRule {
  readonly decay: number
  readonly averageFrom?: number
  readonly reviveAfter?: number | null
}

/** One step of the average from the mean of the accumulated micro-batches; clears the accumulators. */
export function averageOnce(state: Values, rule: AveragingRule): Values {
  const { decay, averageFrom = 0, reviveAfter = null } = rule
  const [raw, steps, total, count] = ['cutoff', 'steps', 'total', 'count'].map((n) => part(state, n)) as [
    Value,
    Value,
    Value,
    Value,
  ]
  const seen = greater(count, 0)
  const mean = div(total, max(1, count))
  const counts = averageFrom > 0 ? and(seen, greaterOrEqual(steps, averageFrom)) : seen
  const towards = (old: Value, now: Value | number) =>
    where(
      counts,
      add(mul(old, decay), typeof now === 'number' ? now * (1 - decay) : mul(now, 1 - decay)),
      old,
    )
  const correction = state.correction && towards(state.correction, 1)
  const averaged = towards(raw, mean)
  const went = greater(part(state, 'taken'), 0)
  const waited = where(went, 0, add(part(state, 'idle'), cast(seen, 'float32')))
  const revived = reviveAfter === null ? undefined : greaterOrEqual(waited, reviveAfter)
  const lowered = min(averaged, correction ? mul(mean, correction) : mean)
  const cutoff = revived ? where(and(revived, counts), lowered, averaged) : averaged
  const zero = (v: Value) => expand(v.builder.constant(0), v.shape)
  return {
    cutoff,
    ...(correction ? { correction } : {}),
    steps: add(steps, 1),
    idle: waited,
    total: zero(total),
    count: zero(count),
    taken: zero(part(state, 'taken')),
  }
}
