/**
 * Exponentials and logarithms. An argument is reduced by a multiple of ln 2 in two parts, the first of which has so few
 * bits that its multiples are exact (Cody & Waite 1980, Software Manual for the Elementary Functions); what is left goes
 * through a polynomial that interpolates the function at the Chebyshev nodes of the interval.
 */
import { type Arithmetic, type Formula, polynomial } from './arithmetic.js'

/** ln 2 in two parts; the first has ten bits. */
const LN2_HIGH = 0.693359375
const LN2_LOW = Math.LN2 - LN2_HIGH

/** (e^r − 1 − r) / r² on ±ln 2 / 2. */
const EXP = [
  0.5, 0.16666576266288757, 0.041666556149721146, 0.008363203145563602, 0.0013926213141530752,
] as const

/** (ln(1 + f) − f + f²/2) / f³ on √½ − 1 .. √2 − 1. */
const LOG = [
  0.3333333134651184, -0.2499999701976776, 0.20000715553760529, -0.1666780263185501, 0.14249058067798615,
  -0.12425687164068222, 0.11685419827699661, -0.11479733884334564, 0.06971611082553864,
] as const

/** (tanh x − x) / x³ in x² on 0 .. 0.625². */
const TANH = [
  -0.333333283662796, 0.1333276927471161, -0.05385090783238411, 0.020997179672122, -0.006096714176237583,
] as const

/** Below it, tanh is a polynomial; above it, a difference from 1 that loses nothing. */
const TANH_SMALL = 0.625
/** From here on, tanh is 1. */
const TANH_END = 9.1

/** 2ⁿ for n in −126..127. */
const powerOfTwo = <F, I, B>(m: Arithmetic<F, I, B>, n: I): F =>
  m.fromBits(m.shiftLeft(m.addInt(n, m.int(127)), m.int(23)))

/** e^x; beyond the range of floats it is 0 or infinite. */
export const exp: Formula = {
  name: 'exp_f32',
  write: (m, x) => {
    const held = m.max(m.min(x, m.float(89)), m.float(-104))
    const n = m.round(m.mul(held, m.float(Math.LOG2E)))
    const r = m.mulAdd(n, m.float(-LN2_LOW), m.mulAdd(n, m.float(-LN2_HIGH), held))
    const y = m.add(m.mulAdd(m.mul(r, r), polynomial(m, r, EXP), r), m.float(1))
    // Two steps reach the ends of the range.
    const whole = m.toInt(n)
    const half = m.shiftRightSigned(whole, m.int(1))
    const rest = m.addInt(whole, m.mulLow(half, m.int(-1)))
    return m.mul(m.mul(y, powerOfTwo(m, half)), powerOfTwo(m, rest))
  },
}

/** ln x: −infinity at 0, NaN below. */
export const log: Formula = {
  name: 'log_f32',
  write: (m, x) => {
    const isSubnormal = m.less(x, m.float(2 ** -126))
    const normal = m.select(isSubnormal, m.mul(x, m.float(2 ** 23)), x)
    // Counting from √½ makes the mantissa lie between √½ and √2.
    const shifted = m.addInt(m.bits(normal), m.int(-0x3f3504f3))
    const e = m.addInt(m.shiftRightSigned(shifted, m.int(23)), m.select(isSubnormal, m.int(-23), m.int(0)))
    const mantissa = m.fromBits(m.addInt(m.and(shifted, m.int(0x7fffff)), m.int(0x3f3504f3)))
    const f = m.sub(mantissa, m.float(1))
    const square = m.mul(f, f)
    const k = m.fromInt(e)
    const tail = m.mulAdd(m.mul(square, f), polynomial(m, f, LOG), m.mul(k, m.float(LN2_LOW)))
    const y = m.mulAdd(k, m.float(LN2_HIGH), m.add(f, m.mulAdd(square, m.float(-0.5), tail)))
    const isInfinite = m.equal(m.bits(x), m.int(0x7f800000))
    const isZero = m.equal(m.and(m.bits(x), m.int(0x7fffffff)), m.int(0))
    const positive = m.select(isInfinite, x, y)
    const notNegative = m.select(m.less(x, m.float(0)), m.special(0x7fc00000), positive)
    return m.select(isZero, m.special(0xff800000), notNegative)
  },
}

/** The logistic function; both sides divide by 1 + e^−|x|, so nothing overflows. */
export const sigmoid: Formula = {
  name: 'sigmoid_f32',
  write: (m, x) => {
    const e = m.call(exp, m.negate(m.abs(x)))
    return m.div(m.select(m.less(x, m.float(0)), e, m.float(1)), m.add(m.float(1), e))
  },
}

/** The hyperbolic tangent. */
export const tanh: Formula = {
  name: 'tanh_f32',
  write: (m, x) => {
    const a = m.min(m.abs(x), m.float(TANH_END))
    const square = m.mul(x, x)
    const small = m.mulAdd(m.mul(square, x), polynomial(m, square, TANH), x)
    const e = m.call(exp, m.add(a, a))
    const large = m.sub(m.float(1), m.div(m.float(2), m.add(e, m.float(1))))
    const signed = m.select(m.less(x, m.float(0)), m.negate(large), large)
    return m.select(m.less(a, m.float(TANH_SMALL)), small, signed)
  },
}
