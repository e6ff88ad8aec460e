/** Test data: literals with their dtype, and small repeatable noise that no library has to agree on. */
import { type NestedNumbers, type Tensor, tensor } from '@fep-moe/core'

/** float32 from numbers. */
export const f = (values: NestedNumbers, shape?: readonly number[]): Tensor =>
  tensor(values, shape, 'float32')
/** int32 from numbers. */
export const i = (values: NestedNumbers, shape?: readonly number[]): Tensor => tensor(values, shape, 'int32')
/** bool from numbers or booleans. */
export const b = (values: NestedNumbers, shape?: readonly number[]): Tensor => tensor(values, shape, 'bool')

/** Number of elements of a shape. */
export const sizeOfShape = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1)

/** A float32 tensor from a function of the flat index. */
export function fill(shape: readonly number[], value: (index: number) => number): Tensor {
  return {
    dtype: 'float32',
    shape: [...shape],
    data: Float32Array.from({ length: sizeOfShape(shape) }, (_, k) => value(k)),
  }
}

/** The same shape with every element mapped; computed in doubles, rounded once. */
export const mapped = (t: Tensor, value: (x: number, index: number) => number): Tensor =>
  fill(t.shape, (k) => value(t.data[k] as number, k))

/** Uniform numbers on [0, 1): mulberry32, integer operations only, so the bytes are the same everywhere. */
export function generator(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let z = Math.imul(state ^ (state >>> 15), 1 | state)
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Uniform noise on [low, high), rounded to float32. */
export function noise(seed: number, shape: readonly number[], low = -1, high = 1): Tensor {
  const next = generator(seed)
  return fill(shape, () => low + (high - low) * next())
}
