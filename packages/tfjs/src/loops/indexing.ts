/** Operators whose result depends on indices, as loops. An index out of range is an error, never a wrap. */
import type { TensorData } from '@fep-moe/core'
import type { Around } from './reduce.js'

/** A negative index counts from the end. @throws RangeError */
export function resolveIndex(index: number, length: number): number {
  const i = index < 0 ? index + length : index
  if (i < 0 || i >= length) throw new RangeError(`index ${index} is outside a dimension of ${length}`)
  return i
}

/** out[o, p, :] = x[o, picks[p], :] */
export function runGather(
  { outer, length, inner }: Around,
  x: TensorData,
  picks: TensorData,
  out: TensorData,
): void {
  let k = 0
  for (let o = 0; o < outer; o++) {
    for (let p = 0; p < picks.length; p++) {
      const start = (o * length + resolveIndex(picks[p] as number, length)) * inner
      if (inner < 16) for (let i = 0; i < inner; i++) out[k + i] = x[start + i] as number
      else out.set(x.subarray(start, start + inner) as Float32Array, k)
      k += inner
    }
  }
}

/** Calls `visit` with each index's own position and the position it points at. */
function eachElement(
  { length, inner }: Around,
  picks: number,
  indices: TensorData,
  visit: (i: number, at: number) => void,
): void {
  for (let i = 0; i < indices.length; i++) {
    const outer = Math.floor(i / (picks * inner))
    visit(i, (outer * length + resolveIndex(indices[i] as number, length)) * inner + (i % inner))
  }
}

/** out[i] = x at the index, along an axis; `picks` indices per lane. */
export function runGatherElements(
  around: Around,
  picks: number,
  x: TensorData,
  indices: TensorData,
  out: TensorData,
): void {
  eachElement(around, picks, indices, (i, at) => {
    out[i] = x[at] as number
  })
}

/** out = x, plus every update where its index points, in index order. */
export function runScatterElements(
  around: Around,
  picks: number,
  [x, indices, updates]: readonly [TensorData, TensorData, TensorData],
  out: TensorData,
): void {
  out.set(x as Float32Array)
  eachElement(around, picks, indices, (i, at) => {
    ;(out[at] as number) += updates[i] as number
  })
}

/** out = x, plus every row of updates at the row its index names, in index order. */
export function runScatterRows(
  { length, inner }: Around,
  [x, indices, updates]: readonly [TensorData, TensorData, TensorData],
  out: TensorData,
): void {
  out.set(x as Float32Array)
  for (let p = 0; p < indices.length; p++) {
    const row = resolveIndex(indices[p] as number, length) * inner
    for (let i = 0; i < inner; i++) (out[row + i] as number) += updates[p * inner + i] as number
  }
}

/** Largest first, equal elements in index order. An insertion per element: k is small where this matters. */
export function runTopK(
  { outer, length, inner }: Around,
  k: number,
  x: TensorData,
  values: TensorData,
  indices: TensorData,
): void {
  const best = new Int32Array(k + 1)
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const at = o * length * inner + i
      let kept = 0
      for (let n = 0; n < length; n++) {
        const value = x[at + n * inner] as number
        let place = kept
        while (place > 0 && value > (x[at + (best[place - 1] as number) * inner] as number)) {
          best[place] = best[place - 1] as number
          place--
        }
        best[place] = n
        if (kept < k) kept++
      }
      for (let j = 0; j < k; j++) {
        const to = (o * k + j) * inner + i
        const pick = best[j] as number
        values[to] = x[at + pick * inner] as number
        indices[to] = pick
      }
    }
  }
}
