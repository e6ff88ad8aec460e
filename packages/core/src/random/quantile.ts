/**
 * The standard normal's upper tail and its inverse, to about 1e-14, with additions, multiplications and divisions
 * only. IEEE 754 fixes those to the last bit, while Math.exp and Math.log differ between engines: a table built from
 * this file is the same bytes everywhere. Slow; used only by normal-table.ts.
 */

const INVERSE_E = 0.36787944117144233
const INVERSE_SQRT_TWO_PI = 0.3989422804014327

/** exp(-y) for 0 <= y < 100: whole powers of 1/e by squaring, the fraction by its Taylor series. */
function decay(y: number): number {
  let whole = Math.floor(y)
  const fraction = y - whole
  let sum = 1
  for (let n = 18; n > 0; n--) sum = 1 - (fraction / n) * sum
  for (let power = INVERSE_E; whole > 0; whole >>= 1, power *= power) if (whole & 1) sum *= power
  return sum
}

/** Density of the standard normal at z. */
function density(z: number): number {
  return INVERSE_SQRT_TWO_PI * decay((z * z) / 2)
}

/** Probability that a standard normal exceeds z, for 0 <= z < 10; `pdf` is the density at z. */
function upperTail(z: number, pdf: number): number {
  if (z > 2.5) {
    // Mills ratio by its continued fraction 1 / (z + 1 / (z + 2 / (z + 3 / ...))).
    // It takes ever fewer terms as z grows.
    let tail = z
    for (let n = Math.ceil(8 + 350 / (z * z)); n > 0; n--) tail = z + n / tail
    return pdf / tail
  }
  let term = z
  let sum = z
  for (let n = 3; term > 1e-17 * sum; n += 2) {
    term *= (z * z) / n
    sum += term
  }
  return 0.5 - pdf * sum
}

/** A point of the upper quantile function: the z that a standard normal exceeds with probability p. */
export interface QuantilePoint {
  readonly p: number
  readonly z: number
  /** Density of the standard normal at z. */
  readonly pdf: number
}

/**
 * Solves for the point at p.
 *
 * @param p probability, in (0, 0.5)
 * @param guess an approximate z, off by a tenth at most
 */
export function quantilePoint(p: number, guess: number): QuantilePoint {
  let z = guess
  for (let round = 0; round < 8; round++) {
    const pdf = density(z)
    const newton = (upperTail(z, pdf) - p) / pdf
    const step = newton * (1 + (z * newton) / 2)
    z += step
    // Convergence is cubic: after a step this small the next one would be below rounding.
    if (step < 1e-5 && step > -1e-5) break
  }
  return { p, z, pdf: density(z) }
}

/**
 * The quantile at `p`, near a solved point, by the Taylor series of the differential equation z' = -1 / density(z).
 * Six terms: within 1e-8 if p is off by a sixteenth of itself, 1e-10 if by a thirtieth.
 */
export function quantileNear(point: QuantilePoint, p: number): number {
  const { z } = point
  const t = (point.p - p) / point.pdf
  const q = z * z
  const c6 = (z * (127 + q * (326 + q * 120))) / 720
  const c5 = (7 + q * (46 + q * 24)) / 120
  const c4 = (z * (7 + q * 6)) / 24
  const c3 = (1 + q * 2) / 6
  return z + t * (1 + t * (z / 2 + t * (c3 + t * (c4 + t * (c5 + t * c6)))))
}
