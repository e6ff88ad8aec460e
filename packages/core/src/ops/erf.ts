/** The error function in double precision. */

/**
 * erf(x) to about 1e-16: Maclaurin series for |x| < 2.5, continued fraction of erfc beyond (Abramowitz & Stegun 7.1.6, 7.1.14).
 */
export function erf(x: number): number {
  const a = Math.abs(x)
  if (Number.isNaN(x)) return x
  if (a >= 6) return Math.sign(x)
  return a < 2.5 ? Math.sign(x) * series(a) : Math.sign(x) * (1 - erfcTail(a))
}

/** 1 − erf(x) without cancellation for large x. */
export function erfc(x: number): number {
  if (x < 2.5) return 1 - erf(x)
  return x > 27 ? 0 : erfcTail(x)
}

function series(a: number): number {
  let term = a
  let total = a
  for (let n = 1; Math.abs(term) > 1e-18 * total; n++) {
    term *= (2 * a * a) / (2 * n + 1)
    total += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * total
}

function erfcTail(a: number): number {
  let fraction = 0
  for (let n = 120; n >= 1; n--) fraction = n / 2 / (a + fraction)
  return Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction)
}
