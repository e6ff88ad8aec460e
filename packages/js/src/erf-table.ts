/**
 * The error function as Taylor polynomials around the points of a grid: many times as fast as the series that the reference
 * sums, and as exact as doubles are. The coefficients come from the reference and from the recurrence of the derivatives:
 * g = erf' obeys g' = −2x g, so (n+1) g_{n+1} = −2 (x g_n + g_{n−1}).
 */
import { erf } from '@fep-moe/core'

/** Grid points per unit. */
export const ERF_DENSITY = 32
/** From here on, erf is 1 in doubles. */
export const ERF_END = 6
/** Coefficients per point; the first one that is left out adds less than 1e-15. */
export const ERF_TERMS = 8

/** The coefficients of point 0, of point 1, …; the constant term first. */
export function makeErfTable(): Float64Array {
  const table = new Float64Array((ERF_END * ERF_DENSITY + 1) * ERF_TERMS)
  for (let point = 0; point <= ERF_END * ERF_DENSITY; point++) {
    const x = point / ERF_DENSITY
    const at = point * ERF_TERMS
    table[at] = erf(x)
    let [before, g] = [0, (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x)]
    for (let n = 0; n + 1 < ERF_TERMS; n++) {
      table[at + n + 1] = g / (n + 1)
      ;[before, g] = [g, (-2 * (x * g + before)) / (n + 1)]
    }
  }
  return table
}
