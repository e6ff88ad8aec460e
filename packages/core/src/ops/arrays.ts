/** Loops for the reference interpreter: plain, strided, in doubles, rounded once when stored. */
import { countOf, stridesOf } from '../graph/shape.js'
import type { NdArray } from './definition.js'

/** Strides of an operand seen through a broadcast result; 0 where it repeats. */
export function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const own = stridesOf(from)
  const lead = to.length - from.length
  return to.map((_, i) => (i < lead || from[i - lead] === 1 ? 0 : (own[i - lead] as number)))
}

/** Calls `visit` with the flat offsets of every element under each stride list, in row-major order of `shape`. */
export function walk(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (i: number, offsets: readonly number[]) => void,
): void {
  const total = countOf(shape)
  const index = new Array<number>(shape.length).fill(0)
  const at = strides.map(() => 0)
  for (let i = 0; i < total; i++) {
    visit(i, at)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      for (let k = 0; k < at.length; k++)
        (at[k] as number) += (strides[k] as readonly number[])[axis] as number
      if (++(index[axis] as number) < (shape[axis] as number)) break
      for (let k = 0; k < at.length; k++)
        (at[k] as number) -= ((strides[k] as readonly number[])[axis] as number) * (shape[axis] as number)
      index[axis] = 0
    }
  }
}

/** out[i] = f(a, b) over broadcast operands. */
export function mapBinary(
  a: NdArray,
  b: NdArray,
  out: NdArray,
  f: (x: number, y: number) => number,
): NdArray {
  const [x, y, z] = [a.data, b.data, out.data]
  const equalShape = (s: readonly number[]) =>
    s.length === out.shape.length && s.every((d, i) => d === out.shape[i])
  if (equalShape(a.shape) && equalShape(b.shape)) {
    for (let i = 0; i < z.length; i++) z[i] = f(x[i] as number, y[i] as number)
  } else {
    walk(out.shape, [broadcastStrides(a.shape, out.shape), broadcastStrides(b.shape, out.shape)], (i, at) => {
      z[i] = f(x[at[0] as number] as number, y[at[1] as number] as number)
    })
  }
  return out
}

/** Splits a shape at an axis: elements before, along, after. */
export function around(
  shape: readonly number[],
  axis: number,
): { outer: number; length: number; inner: number } {
  return {
    outer: countOf(shape.slice(0, axis)),
    length: shape[axis] ?? 1,
    inner: countOf(shape.slice(axis + 1)),
  }
}

/** Python-style index of ONNX Gather: negative counts from the end; outside is an error, never a wrap. */
export function checkedIndex(index: number, length: number): number {
  const i = index < 0 ? index + length : index
  if (i < 0 || i >= length) throw new RangeError(`index ${index} is outside a dimension of ${length}`)
  return i
}
