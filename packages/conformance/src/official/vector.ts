/** An official ONNX node test as it is stored: one node, its operands, and what must come out. */
import type { DType, Tensor } from '@fep-moe/core'
import { sizeOfShape } from '../frame/data.js'

/** A tensor in the pool of bytes. int64 is stored as int32, float64 as float32: the converter says when it may. */
export type TensorRef = readonly [dtype: DType, shape: readonly number[], offset: number]

/** An attribute: numbers, names, a tensor, or the body of a Scan. */
export type Attribute =
  | number
  | string
  | readonly number[]
  | { readonly tensor: TensorRef }
  | { readonly body: OfficialBody }

/** A node; an empty name is an operand or result that is left out. */
export interface OfficialNode {
  readonly op: string
  readonly attrs: Readonly<Record<string, Attribute>>
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** A graph inside an attribute; its inputs have the types that the node gives them. */
export interface OfficialBody {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly nodes: readonly OfficialNode[]
}

/** One folder of the official node tests. */
export interface OfficialVector {
  /** The folder without `test_`. */
  readonly name: string
  /** Version of the operator set that the model imports. */
  readonly opset: number
  readonly node: OfficialNode
  /** Tensors of the node's inputs and outputs, by name. */
  readonly inputs: Readonly<Record<string, TensorRef>>
  readonly outputs: Readonly<Record<string, TensorRef>>
}

/** What became of the folders whose operator is ours. */
export interface OfficialCoverage {
  /** Folders that are cases. */
  readonly taken: number
  /** Folders that are not, by reason. */
  readonly dropped: Readonly<Record<string, number>>
}

/** Finds the elements of a stored tensor. */
export type OpenTensor = (ref: TensorRef) => Tensor

/** Opens tensors of a pool: little-endian, each tensor at a multiple of four bytes. */
export function tensorsOf(pool: Uint8Array): OpenTensor {
  return ([dtype, shape, offset]) => {
    const length = sizeOfShape(shape)
    const at = pool.byteOffset + offset
    const data =
      dtype === 'bool'
        ? new Uint8Array(pool.buffer, at, length)
        : dtype === 'int32'
          ? new Int32Array(pool.buffer, at, length)
          : new Float32Array(pool.buffer, at, length)
    // Copied: an executor may keep or hand over the memory of a feed.
    return { dtype, shape, data: data.slice() } as Tensor
  }
}
