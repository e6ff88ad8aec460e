/**
 * The operations that formulas are written in. Writing them down gives WGSL, carrying them out in single precision gives
 * numbers: what the shaders compute can be measured without a device.
 */

/** Floats, 32-bit integers and conditions are whatever an implementation works with. */
export interface Arithmetic<F, I, B> {
  float(value: number): F
  /** A float that WGSL cannot write down, by its bits. */
  special(bits: number): F
  add(a: F, b: F): F
  sub(a: F, b: F): F
  mul(a: F, b: F): F
  /** WGSL allows 2.5 units in the last place; everything else here but `mulAdd` is rounded correctly. */
  div(a: F, b: F): F
  /** a·b + c with one rounding or two: a compiler may fuse them. */
  mulAdd(a: F, b: F, c: F): F
  negate(a: F): F
  abs(a: F): F
  min(a: F, b: F): F
  max(a: F, b: F): F
  /** The nearest integer, an even one at a tie. */
  round(a: F): F
  less(a: F, b: F): B
  /** Of a float that is an integer. */
  toInt(a: F): I
  fromInt(a: I): F
  bits(a: F): I
  fromBits(a: I): F
  int(value: number): I
  addInt(a: I, b: I): I
  /** The low and the high half of the product of unsigned integers. */
  mulLow(a: I, b: I): I
  mulHigh(a: I, b: I): I
  and(a: I, b: I): I
  or(a: I, b: I): I
  shiftLeft(a: I, by: I): I
  /** Fills with zeros. */
  shiftRight(a: I, by: I): I
  /** Keeps the sign. */
  shiftRightSigned(a: I, by: I): I
  equal(a: I, b: I): B
  /** As unsigned integers. */
  below(a: I, b: I): B
  select<V extends F | I>(condition: B, a: V, b: V): V
  /** Another formula, as a function of its own. */
  call(formula: Formula, x: F): F
}

/** A function of one float. */
export interface Formula {
  readonly name: string
  write<F, I, B>(m: Arithmetic<F, I, B>, x: F): F
}

/** c[0] + x (c[1] + x (c[2] + …)) */
export function polynomial<F, I, B>(m: Arithmetic<F, I, B>, x: F, coefficients: readonly number[]): F {
  let sum = m.float(coefficients.at(-1) as number)
  for (let n = coefficients.length - 2; n >= 0; n--)
    sum = m.mulAdd(sum, x, m.float(coefficients[n] as number))
  return sum
}
