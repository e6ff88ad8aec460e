import type { FloatArray } from './values.js'

/** The largest value below `high` that an element of `out` can hold. */
export function largestBelow(high: number, out: FloatArray): number {
  const cell = out instanceof Float32Array ? new Float32Array([high]) : new Float64Array([high])
  const rounded = cell[0]!
  if (rounded < high) return rounded
  if (rounded === 0) return out instanceof Float32Array ? -1.401298464324817e-45 : -Number.MIN_VALUE
  // The neighbor toward minus infinity is one step of the bit pattern: down for positive values, up for negative.
  const step = rounded > 0 ? -1 : 1
  if (cell instanceof Float32Array) new Int32Array(cell.buffer)[0]! += step
  else new BigInt64Array(cell.buffer)[0]! += BigInt(step)
  return cell[0]!
}
