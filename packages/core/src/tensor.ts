/** Host tensors: a dtype, a shape and a typed array. Nothing to dispose. */
import { FepError, show } from './errors.js'
import { countOf, stridesOf } from './graph/shape.js'
import type { DType } from './graph/types.js'

/** The arrays a host tensor may hold. float32 is a Float32Array (a Float64Array only inside the float64 reference). */
export type TensorData = Float32Array | Float64Array | Int32Array | Uint8Array

/** The array of a dtype. */
export type ArrayOf<D extends DType> = D extends 'float32'
  ? Float32Array
  : D extends 'int32'
    ? Int32Array
    : Uint8Array

/** A dense row-major tensor in host memory. */
export interface Tensor<A extends TensorData = TensorData> {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: A
}

/** Nested or flat numbers, as people write them by hand. */
export type NestedNumbers = number | boolean | readonly NestedNumbers[]

const ARRAY = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const

/** A zero-filled array for a dtype. */
export function allocate(dtype: DType, length: number): Float32Array | Int32Array | Uint8Array {
  return new ARRAY[dtype](length)
}

function flatten(values: NestedNumbers, depth: number, shape: number[], out: number[]): void {
  if (typeof values === 'number' || typeof values === 'boolean') {
    if (depth !== shape.length) throw new FepError('FEP_BAD_ARGUMENT', 'tensor(): nested arrays are ragged')
    out.push(Number(values))
    return
  }
  if (depth >= shape.length || values.length !== shape[depth])
    throw new FepError('FEP_BAD_ARGUMENT', 'tensor(): nested arrays are ragged')
  for (const v of values) flatten(v, depth + 1, shape, out)
}

/**
 * Makes a host tensor.
 * @param values a typed array (kept, not copied), or numbers, flat or nested
 * @param shape dimensions; default: the nesting of `values`, or its length
 * @param dtype default: from the typed array, else `float32`
 * @throws FEP_BAD_ARGUMENT where the number of elements and the shape disagree
 * @example tensor([[1, 2], [3, 4]]).shape // [2, 2]
 */
export function tensor<A extends TensorData>(values: A, shape?: readonly number[], dtype?: DType): Tensor<A>
export function tensor(values: NestedNumbers, shape?: readonly number[], dtype?: DType): Tensor
export function tensor(values: TensorData | NestedNumbers, shape?: readonly number[], dtype?: DType): Tensor {
  let data: TensorData
  let dims: readonly number[]
  let type: DType
  if (ArrayBuffer.isView(values)) {
    data = values as TensorData
    type = dtype ?? (data instanceof Int32Array ? 'int32' : data instanceof Uint8Array ? 'bool' : 'float32')
    dims = shape ?? [data.length]
  } else {
    const nesting: number[] = []
    for (let v: NestedNumbers | undefined = values; Array.isArray(v); v = (v as readonly NestedNumbers[])[0])
      nesting.push((v as readonly NestedNumbers[]).length)
    const flat: number[] = []
    flatten(values, 0, nesting, flat)
    type = dtype ?? 'float32'
    data = ARRAY[type].from(flat)
    dims = shape ?? nesting
  }
  if (dims.some((d) => !Number.isSafeInteger(d) || d < 0)) {
    throw new FepError('FEP_BAD_ARGUMENT', `tensor(): shape ${show(dims)} must hold integers >= 0`)
  }
  const want = countOf(dims)
  if (want !== data.length)
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `tensor(): ${data.length} values do not fill shape (${dims.join(', ')}), which holds ${want}`,
    )
  return { dtype: type, shape: [...dims], data }
}

/** A tensor of one repeated value. */
export function full<D extends DType = 'float32'>(
  shape: readonly number[],
  value: number,
  dtype: D = 'float32' as D,
): Tensor<ArrayOf<D>> {
  const data = allocate(dtype, countOf(shape)) as ArrayOf<D>
  if (value !== 0) data.fill(value)
  return { dtype, shape: [...shape], data }
}

/** A tensor of zeros. */
export function zeros<D extends DType = 'float32'>(
  shape: readonly number[],
  dtype: D = 'float32' as D,
): Tensor<ArrayOf<D>> {
  return full(shape, 0, dtype)
}

/** A copy with axes permuted, as `numpy.transpose`: axis i of the result is axis `perm[i]` of the input. */
export function transpose(t: Tensor, perm: readonly number[]): Tensor {
  const shape = perm.map((p) => t.shape[p] as number)
  const data =
    t.data instanceof Float64Array ? new Float64Array(t.data.length) : allocate(t.dtype, t.data.length)
  const inStrides = stridesOf(t.shape)
  const strides = perm.map((p) => inStrides[p] as number)
  const index = new Array<number>(shape.length).fill(0)
  let from = 0
  for (let i = 0; i < data.length; i++) {
    data[i] = t.data[from] as number
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis] as number
      if (++(index[axis] as number) < (shape[axis] as number)) break
      from -= (strides[axis] as number) * (shape[axis] as number)
      index[axis] = 0
    }
  }
  return { dtype: t.dtype, shape, data }
}
