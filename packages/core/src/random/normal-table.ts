/**
 * Piecewise cubics for the inverse normal distribution function, the table behind `normalOf` of values.ts.
 *
 * The argument is a double d, |d| in [0.5, 2^31), which stands for the tail probability |d| / 2^32 and whose sign says
 * which tail. Segments are 16 to an octave of |d|: fine enough for cubics all the way down, and a bit field of d.
 */
import { quantileNear, quantilePoint } from './quantile.js'

const SEGMENTS = 16
const ROW = 4
const SIDE = 32 * SEGMENTS * ROW

/** Length of the table: four coefficients a segment, 16 segments an octave, 32 octaves a side. */
export const NORMAL_TABLE_LENGTH = 2 * SIDE

/** Index of the table row of d, from the high word of d: low five exponent bits, four fraction bits, sign in front. */
export function rowOf(high: number): number {
  return ((high >>> 14) & 0x7fc) | ((high >>> 20) & 0x800)
}

/** Coefficients of 1, x, x^2, x^3 of the cubic through four points, by divided differences. */
function cubic(x: number[], y: number[]): number[] {
  const c = [...y]
  for (let order = 1; order < ROW; order++)
    for (let i = ROW - 1; i >= order; i--) c[i] = (c[i]! - c[i - 1]!) / (x[i]! - x[i - order]!)
  const out = [c[3]!, 0, 0, 0]
  for (let i = 2; i >= 0; i--) {
    for (let k = 3; k > 0; k--) out[k] = out[k - 1]! - x[i]! * out[k]!
    out[0] = c[i]! - x[i]! * out[0]!
  }
  return out
}

/**
 * Fills a table of {@link NORMAL_TABLE_LENGTH}; takes milliseconds. The coefficients apply to d itself, in rising
 * order. The interpolation error is below 2e-8 in units of one standard deviation.
 */
export function buildNormalTable(table: Float64Array): void {
  // Chebyshev nodes of [-1, 1]: cosines of odd multiples of pi/8.
  const nodes = [0.9238795325112867, 0.3826834323650898, -0.3826834323650898, -0.9238795325112867]
  const bits = new DataView(new ArrayBuffer(8))
  let z = 0
  // Halving, not `**`: engines need not round powers alike.
  for (let octave = 1073741824; octave >= 0.5; octave /= 2) {
    const scale = octave / 4294967296
    for (let segment = SEGMENTS - 1; segment >= 0; segment--) {
      // Interpolate in x = |d| / octave, from 1 to 2, to keep the arithmetic well scaled.
      const x = nodes.map((node) => 1 + (segment + 0.5 + node / 2) / SEGMENTS)
      const center = quantilePoint((1 + (segment + 0.5) / SEGMENTS) * scale, z)
      z = quantileNear(center, (1 + (segment - 0.5) / SEGMENTS) * scale)
      const y = x.map((value) => quantileNear(center, value * scale))
      const c = cubic(x, y)
      bits.setFloat64(0, octave * (1 + segment / SEGMENTS))
      const row = rowOf(bits.getInt32(0))
      for (let k = 0, unit = 1; k < ROW; k++, unit /= octave) {
        const value = c[k]! * unit
        table[row + k] = value
        // The curve is odd: even coefficients change sign with d.
        table[SIDE + row + k] = k % 2 === 0 ? -value : value
      }
    }
  }
}
