/** Estimates over seeds and the rule that says whether two of them agree. */
import { mean, sampleStandardDeviation } from 'simple-statistics'
import type { Metric } from './metric.js'

/** A mean over n independent runs. */
export interface Estimate {
  readonly mean: number
  /** Sample standard deviation (n − 1); null where one run cannot tell. */
  readonly std: number | null
  readonly n: number
}

/** A figure somebody else reported. */
export interface Published extends Estimate {
  /** `paper`: printed there. `prototype`: measured by running the paper's own code, where the paper gives no such figure. */
  readonly source: 'paper' | 'prototype'
  /** Digits printed behind the point. Default 3. */
  readonly digits?: number
}

/** Mean and spread of at least one value. */
export function estimate(values: readonly number[]): Estimate {
  const list = [...values]
  return {
    mean: mean(list),
    std: list.length > 1 ? sampleStandardDeviation(list) : null,
    n: list.length,
  }
}

/** Differences below this share of a metric's range are rounding of printed figures, not disagreement. */
export const LEAST_TOLERANCE = 0.01

/** How ours compares with a published figure. */
export type Agreement = 'agrees' | 'differs' | 'not decidable'

const scaleOf = ({ range, scale }: Metric, published: Estimate): number =>
  scale ?? (range ? range[1] - range[0] : Math.abs(published.mean))

/**
 * The difference that still counts as agreement; null where nothing can be said.
 *
 * Two means: max(.01 × range of the metric, 3 √(s₁²/n₁ + s₂²/n₂)); a spread that was not printed counts as 0. A published
 * single run must lie within 3 of our standard deviations (and half its last digit). A single run of ours is taken to
 * spread as the published runs do.
 */
export function tolerance(ours: Estimate, published: Estimate, metric: Metric, digits = 3): number | null {
  if (published.n === 1) return ours.std === null ? null : 3 * ours.std + 0.5 * 10 ** -digits
  const theirs = (published.std ?? 0) ** 2
  const mine = ours.n === 1 ? theirs : (ours.std ?? 0) ** 2
  const spread = 3 * Math.sqrt(mine / ours.n + theirs / published.n)
  return Math.max(LEAST_TOLERANCE * scaleOf(metric, published), spread)
}

/** Whether two estimates agree by their {@link tolerance}; not decidable where its band covers the whole range. */
export function agree(ours: Estimate, published: Estimate, metric: Metric, digits = 3): Agreement {
  const allowed = tolerance(ours, published, metric, digits)
  if (allowed === null) return 'not decidable'
  const { range } = metric
  if (range && published.mean - allowed <= range[0] && published.mean + allowed >= range[1])
    return 'not decidable'
  // Printed figures have three digits: without the slack, .904 and .894 would differ by more than .01 in doubles.
  const slack = 1e-12 * Math.max(1, Math.abs(published.mean))
  return Math.abs(ours.mean - published.mean) <= allowed + slack ? 'agrees' : 'differs'
}
