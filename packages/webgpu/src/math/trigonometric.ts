/**
 * Sine and cosine of any float. Moderate arguments are reduced by a multiple of π/2 in three parts (Cody & Waite 1980),
 * large ones by the bits of 2/π that matter for their exponent (Payne & Hanek 1983, Radian Reduction for Trigonometric
 * Functions).
 */
import { type Arithmetic, type Formula, polynomial } from './arithmetic.js'

/** π/2 in three parts; multiples of the first two, up to {@link LARGE}, are exact. */
const PARTS = [1.5703125, 4.837512969970703e-4, 7.549789954891882e-8] as const

/** From here on, all of 2/π is needed. */
const LARGE = 4096

/** 2/π, 32 bits each, the first of them worth 1/4. */
const TWO_OVER_PI = [
  0x28be60db, 0x9391054a, 0x7f09d5f4, 0x7d4d3770, 0x36d8a566, 0x4f10e410, 0x7f9458ea,
] as const

/** (sin r − r) / r³ and (cos r − 1 + r²/2) / r⁴ in r² on 0 .. (π/4)², interpolated at Chebyshev nodes. */
const SIN = [-0.166666641831398, 0.008332746103405952, -0.00019587387214414775] as const
const COS = [0.0416666641831398, -0.0013888300163671374, 0.000024547436623834074] as const

/** An angle as a number of right angles and what is left, within ±π/4. */
interface Reduced<F, I> {
  readonly quadrant: I
  readonly rest: F
}

function reduceModerate<F, I, B>(m: Arithmetic<F, I, B>, x: F): Reduced<F, I> {
  const n = m.round(m.mul(x, m.float(2 / Math.PI)))
  const rest = PARTS.reduce((r, part) => m.mulAdd(n, m.float(-part), r), x)
  return { quadrant: m.toInt(n), rest }
}

/** Of |x|; sensible from {@link LARGE} on. */
function reduceLarge<F, I, B>(m: Arithmetic<F, I, B>, a: F): Reduced<F, I> {
  const [zero, one] = [m.int(0), m.int(1)]
  const word = m.bits(a)
  const mantissa = m.or(m.shiftLeft(m.and(word, m.int(0x7fffff)), m.int(8)), m.int(0x80000000))
  const exponent = m.and(m.addInt(m.shiftRight(word, m.int(23)), m.int(-126)), m.int(0xff))
  const index = m.and(m.shiftRight(exponent, m.int(5)), m.int(7))
  const shift = m.and(exponent, m.int(31))
  // The words of 2/π from the one before `index` on.
  const words = [-1, 0, 1, 2].map((from) => {
    let found = zero
    for (let i = 0; i <= 4; i++)
      found = m.select(m.equal(index, m.int(i)), m.int(TWO_OVER_PI[i + from] ?? 0), found)
    return found
  })
  const isAligned = m.equal(shift, zero)
  const [high, middle, low] = [0, 1, 2].map((i) => {
    const [here, next] = [words[i], words[i + 1]] as [I, I]
    const into = m.shiftRight(m.shiftRight(next, one), m.addInt(m.int(31), m.mulLow(shift, m.int(-1))))
    return m.select(isAligned, here, m.or(m.shiftLeft(here, shift), into))
  }) as [I, I, I]
  // The product with 2 bits before the point; what lies above them is whole turns.
  const under = m.mulHigh(mantissa, low)
  const bottom = m.addInt(m.mulLow(mantissa, middle), under)
  const carry = m.select(m.below(bottom, under), one, zero)
  const top = m.addInt(m.addInt(m.mulHigh(mantissa, middle), carry), m.mulLow(mantissa, high))
  const fraction = m.and(top, m.int(0x3fffffff))
  const isUpper = m.equal(m.shiftRight(fraction, m.int(29)), one)
  const signed = m.addInt(fraction, m.select(isUpper, m.int(-0x40000000), zero))
  const quadrant = m.addInt(m.shiftRight(top, m.int(30)), m.select(isUpper, one, zero))
  const lowPart = m.mul(m.fromInt(m.shiftRight(bottom, one)), m.float(2 ** -61))
  const rest = m.mul(m.mulAdd(m.fromInt(signed), m.float(2 ** -30), lowPart), m.float(Math.PI / 2))
  return { quadrant, rest }
}

/** sin(x + quarters · π/2) */
const wave = (name: string, quarters: number): Formula => ({
  name,
  write: (m, x) => {
    const a = m.abs(x)
    const isLarge = m.less(m.float(LARGE), a)
    const [moderate, large] = [reduceModerate(m, a), reduceLarge(m, a)]
    const r = m.select(isLarge, large.rest, moderate.rest)
    const turned = m.select(isLarge, large.quadrant, moderate.quadrant)
    const quadrant = m.addInt(turned, m.int(quarters))
    const square = m.mul(r, r)
    const sine = m.mulAdd(m.mul(square, r), polynomial(m, square, SIN), r)
    const cosine = m.mulAdd(
      m.mul(square, square),
      polynomial(m, square, COS),
      m.mulAdd(square, m.float(-0.5), m.float(1)),
    )
    const isOdd = m.equal(m.and(quadrant, m.int(1)), m.int(1))
    const y = m.select(isOdd, cosine, sine)
    const isLower = m.equal(m.and(quadrant, m.int(2)), m.int(2))
    const turnedSign = m.select(isLower, m.negate(y), y)
    // The cosine is even, the sine is odd.
    return quarters === 0 ? m.select(m.less(x, m.float(0)), m.negate(turnedSign), turnedSign) : turnedSign
  },
})

export const sin: Formula = wave('sin_f32', 0)
export const cos: Formula = wave('cos_f32', 1)
