/** What a figure measures: the range it can take decides what counts as rounding and what cannot be decided. */

/** One metric of an experiment. */
export interface Metric {
  /** For headings, with the unit where there is one. */
  readonly label: string
  /** Least and largest possible value; null where there is no limit. */
  readonly range: readonly [number, number] | null
  /**
   * Width of the range that a hundredth is rounding of. Default: the width of `range`; without a range, the size of the
   * published figure. A difference of two accuracies says 1: it is as exact as they are.
   */
  readonly scale?: number
  /** Whether this is argmax accuracy or gate mass, which claims must not mix up. */
  readonly measure?: 'accuracy' | 'mass'
  /** Counted, not measured: every run gives the same, and one of them is enough to compare. */
  readonly exact?: boolean
  /** Digits behind the point in tables. Default 3. */
  readonly digits?: number
}

/** The metrics of an experiment by name. */
export type Metrics = Readonly<Record<string, Metric>>

/** A share of something, 0..1. */
export const share = (label: string, measure?: 'accuracy' | 'mass'): Metric => ({
  label,
  range: [0, 1],
  ...(measure ? { measure } : {}),
})

/** A difference of shares. */
export const shareDifference = (label: string, measure?: 'accuracy' | 'mass'): Metric => ({
  ...share(label, measure),
  range: [-2, 2],
  scale: 1,
})

/** A count or a ratio without an upper limit. */
export const unlimited = (label: string, digits = 1, measure?: 'accuracy' | 'mass'): Metric => ({
  label,
  range: null,
  digits,
  ...(measure ? { measure } : {}),
})
