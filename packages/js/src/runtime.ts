/** What generated code takes from outside: functions that a line of JavaScript cannot say, and the table of erf. */
import { makeErfTable } from './erf-table.js'

/** Negative counts from the end; outside is an error, never a wrap. */
function checkedIndex(index: number, length: number): number {
  const i = index < 0 ? index + length : index
  if (i < 0 || i >= length) throw new RangeError(`index ${index} is outside a dimension of ${length}`)
  return i
}

/** Row ranges of a grouped product rise. */
function checkGroup(group: number, from: number, to: number, rows: number): void {
  if (from < 0 || to < from || to > rows)
    throw new RangeError(`offsets must rise within 0..${rows}; group ${group} is ${from}..${to}`)
}

/** Fills `order` with the indices of `keys` from the largest to the smallest: a merge sort, so equal keys keep their order. */
function rankFalling(keys: Float64Array, order: Int32Array, spare: Int32Array): void {
  const n = keys.length
  for (let i = 0; i < n; i++) order[i] = i
  let [from, to] = [order, spare]
  for (let width = 1; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) {
      const [middle, end] = [Math.min(start + width, n), Math.min(start + 2 * width, n)]
      let [left, right] = [start, middle]
      for (let i = start; i < end; i++) {
        const takesRight =
          left >= middle ||
          (right < end && (keys[from[right] as number] as number) > (keys[from[left] as number] as number))
        to[i] = from[takesRight ? right++ : left++] as number
      }
    }
    ;[from, to] = [to, from]
  }
  if (from !== order) order.set(from)
}

let erfTable: Float64Array | undefined

/** By the name under which generated code knows them. */
export const runtime = {
  checkedIndex,
  checkGroup,
  rankFalling,
  /** Made for the first program that needs it. */
  get erfTable(): Float64Array {
    erfTable ??= makeErfTable()
    return erfTable
  },
}
