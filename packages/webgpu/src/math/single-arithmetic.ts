/** Formulas carried out in single precision, as a processor does that follows the rules of WGSL. */
import type { Arithmetic, Formula } from './arithmetic.js'

/** Choices that WGSL leaves to a processor. */
export interface SingleOptions {
  /** a·b + c is rounded once. Default false. */
  readonly fused?: boolean
  /** Units in the last place by which a quotient is off; WGSL allows ±2.5. Default 0. */
  readonly divisionError?: number
  /** Subnormal operands and results are zero. Default false. */
  readonly flushes?: boolean
}

const floats = new Float32Array(1)
const ints = new Int32Array(floats.buffer)

/** The high half of a product of unsigned integers, from the products of their halves, which doubles hold. */
function multiplyHigh(a: number, b: number): number {
  const [x, y] = [a >>> 0, b >>> 0]
  const low = (x & 0xffff) * (y & 0xffff)
  const left = (x >>> 16) * (y & 0xffff) + Math.floor(low / 65536)
  const right = (x & 0xffff) * (y >>> 16) + (left % 65536)
  return ((x >>> 16) * (y >>> 16) + Math.floor(left / 65536) + Math.floor(right / 65536)) | 0
}

/** A formula as a function of numbers. */
export function evaluateFormula(formula: Formula, options: SingleOptions = {}): (x: number) => number {
  const { fused = false, divisionError = 0, flushes = false } = options
  const { fround } = Math
  const rounded = (x: number): number => {
    const y = fround(x)
    return flushes && Math.abs(y) < 2 ** -126 ? y * 0 : y
  }
  const roundEven = (x: number): number => {
    const floor = Math.floor(x)
    const rest = x - floor
    if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1
    return floor % 2 === 0 ? floor : floor + 1
  }
  const m: Arithmetic<number, number, boolean> = {
    float: fround,
    special: (bits) => {
      ints[0] = bits
      return floats[0] as number
    },
    add: (a, b) => rounded(a + b),
    sub: (a, b) => rounded(a - b),
    mul: (a, b) => rounded(a * b),
    div: (a, b) => rounded((a / b) * (1 + divisionError * 2 ** -23)),
    mulAdd: (a, b, c) => rounded((fused ? a * b : rounded(a * b)) + c),
    negate: (a) => -a,
    abs: Math.abs,
    min: Math.min,
    max: Math.max,
    round: roundEven,
    less: (a, b) => a < b,
    toInt: (a) => a | 0,
    fromInt: fround,
    bits: (a) => {
      floats[0] = a
      return ints[0] as number
    },
    fromBits: (a) => {
      ints[0] = a
      return floats[0] as number
    },
    int: (value) => value | 0,
    addInt: (a, b) => (a + b) | 0,
    mulLow: Math.imul,
    mulHigh: multiplyHigh,
    and: (a, b) => a & b,
    or: (a, b) => a | b,
    shiftLeft: (a, by) => a << by,
    shiftRight: (a, by) => (a >>> by) | 0,
    shiftRightSigned: (a, by) => a >> by,
    equal: (a, b) => a === b,
    below: (a, b) => a >>> 0 < b >>> 0,
    select: (condition, a, b) => (condition ? a : b),
    call: (other, x) => other.write(m, x),
  }
  return (x) => formula.write(m, fround(x))
}
