/** Moving elements: one strided copy serves Transpose, Expand, Slice, Pad and Concat. */
import type { TensorData } from '@fep-moe/core'
import { type Nest, walkRows } from './nest.js'

/** Rows shorter than this are copied by a loop: a call to `set` costs more. */
const SHORT = 16

/** Edge of the blocks in which a matrix is transposed. */
const BLOCK = 16

/** Copies along a nest of two operands, source and target. */
export function runCopy(nest: Nest, from: TensorData, to: TensorData, fromStart = 0, toStart = 0): void {
  if (isTransposition(nest)) transposeBlocks(nest, from, to, fromStart, toStart)
  else
    walkRows(nest, [fromStart, toStart], (at, steps, count) => {
      let [i, k] = at as [number, number]
      const [di, dk] = steps as [number, number]
      if (di === 1 && dk === 1 && count >= SHORT) to.set(from.subarray(i, i + count) as Float32Array, k)
      else if (di === 0 && dk === 1) to.fill(from[i] as number, k, k + count)
      else for (let n = 0; n < count; n++, i += di, k += dk) to[k] = from[i] as number
    })
}

const isTransposition = ({ sizes, strides }: Nest): boolean =>
  sizes.length === 2 && strides[0]?.[0] === 1 && (strides[0]?.[1] as number) > 1 && strides[1]?.[1] === 1

/** By blocks, so that both sides stay in the cache. */
function transposeBlocks(
  { sizes, strides }: Nest,
  from: TensorData,
  to: TensorData,
  fromStart: number,
  toStart: number,
): void {
  const [rows, columns] = sizes as [number, number]
  const [fromRow, fromColumn] = strides[0] as [number, number]
  const [toRow] = strides[1] as [number, number]
  for (let r0 = 0; r0 < rows; r0 += BLOCK) {
    const r1 = Math.min(rows, r0 + BLOCK)
    for (let c0 = 0; c0 < columns; c0 += BLOCK) {
      const c1 = Math.min(columns, c0 + BLOCK)
      for (let r = r0; r < r1; r++) {
        let i = fromStart + r * fromRow + c0 * fromColumn
        let k = toStart + r * toRow + c0
        for (let c = c0; c < c1; c++, i += fromColumn, k++) to[k] = from[i] as number
      }
    }
  }
}
