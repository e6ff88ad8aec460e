/** Normal floats as WGSL writes them. */

/** A literal of a finite float32 that is neither −0 nor subnormal; in parentheses where it is negative. */
export function literalText(held: number): string {
  const text = String(held)
  const full = /[.e]/.test(text) ? `${text}f` : `${text}.0f`
  return held < 0 ? `(${full})` : full
}
