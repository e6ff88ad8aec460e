/**
 * Means over steps, with standard errors. Steps of a sequence are not independent, sequences are: a mean is a ratio of two
 * sums over sequences, and its standard error is that of a ratio, √(n/(n−1) Σ (y_i − R m_i)²) / Σ m_i, where sequence i
 * adds y_i over m_i steps.
 */

/** A mean over steps, and how uncertain it is. */
export interface Sampled {
  /** NaN where nothing was scored. */
  readonly mean: number
  /** NaN for fewer than two sequences. */
  readonly standardError: number
}

/** Sums of a ratio and of its standard error. */
export class Ratio {
  private sums = { n: 0, y: 0, m: 0, yy: 0, ym: 0, mm: 0 }

  /** A sequence with the sum y over m steps. */
  add(y: number, m: number): void {
    const s = this.sums
    s.n++
    s.y += y
    s.m += m
    s.yy += y * y
    s.ym += y * m
    s.mm += m * m
  }

  get sampled(): Sampled {
    const { n, y, m, yy, ym, mm } = this.sums
    const mean = y / m
    const rest = Math.max(0, yy - 2 * mean * ym + mean * mean * mm)
    return { mean, standardError: n < 2 ? Number.NaN : Math.sqrt((rest * n) / (n - 1)) / m }
  }
}
