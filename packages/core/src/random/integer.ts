const TO_UNIT = 1 / 4294967296

/**
 * Maps 64 random bits to [0, bound) by multiply-high. No rejection, so that one counter is one integer.
 *
 * @param bound an integer from 1 to 2^31
 * @param high first word, signed or not
 * @param low second word, signed or not
 * @returns an integer whose probability differs from 1 / bound by less than 2^-64
 */
export function scaleTo(bound: number, high: number, low: number): number {
  const h = high >>> 0
  const carry = Math.floor((low >>> 0) * bound * TO_UNIT)
  // h * bound can take 63 bits: split the bound, so that every product and sum is an exact double below 2^53.
  const upper = h * (bound >>> 16)
  const whole = Math.floor(upper / 65536)
  const rest = (upper - whole * 65536) * 65536 + h * (bound & 65535) + carry
  return whole + Math.floor(rest * TO_UNIT)
}
