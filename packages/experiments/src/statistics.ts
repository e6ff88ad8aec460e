/** Estimates over seeds and the rule that says whether two of them agree. */
import { mean, sampleStandardDeviation } from 'simple-statistics'

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

/** Differences below this are rounding of the printed figures, not disagreement. */
export const LEAST_TOLERANCE = 0.01

/** The difference that still counts as agreement: max(.01, 3 √(s₁²/n₁ + s₂²/n₂)); an unknown spread counts as 0. */
export function tolerance(a: Estimate, b: Estimate): number {
  const variance = (e: Estimate) => (e.std ?? 0) ** 2 / e.n
  return Math.max(LEAST_TOLERANCE, 3 * Math.sqrt(variance(a) + variance(b)))
}

/** True where two estimates differ by no more than their {@link tolerance}. */
export function agree(a: Estimate, b: Estimate): boolean {
  // Printed figures have three digits: without the slack, .904 and .894 would differ by more than .01 in doubles.
  return Math.abs(a.mean - b.mean) <= tolerance(a, b) + 1e-12
}
