/** What a lowering is: one core node and its shapes in, a function that runs it out. */
import type { CompositeName, DType, Graph, OpAttrs, OpName, PrimitiveName } from '@fep-moe/core'
import type { Device, Handle, Layout } from '../device/device.js'

/**
 * Runs one node: operands in, results out; a result that nothing reads may be missing. A result must not be an operand:
 * `Device.reshape` gives it another owner.
 */
export type Execute = (operands: readonly Handle[]) => readonly (Handle | undefined)[]

/** A closed graph that is called from inside a node, as a Scan calls its body. */
export type Body = (operands: readonly Handle[]) => readonly Handle[]

/** One node as its lowering sees it, once, when the program is made. All shapes are numbers. */
export interface Call<O extends OpName> {
  readonly op: O
  readonly attrs: OpAttrs[O]
  readonly inputs: readonly Layout[]
  readonly outputs: readonly Layout[]
  /** Which results something reads. */
  readonly used: readonly boolean[]
  /** For a product: which operands arrive with their last two axes swapped. */
  readonly swapped: readonly boolean[]
  readonly device: Device
  /** A literal on the device, made once and owned by the program. */
  constant(dtype: DType, shape: readonly number[], data: ArrayLike<number>): Handle
  /** Lowers a closed graph. */
  body(graph: Graph): Body
}

/** Makes the function that runs a node. @throws FEP_UNSUPPORTED_OP where the device cannot */
export type Lowering<O extends OpName> = (call: Call<O>) => Execute

/** The composites that some tfjs backends run in one kernel. */
export type ClaimedComposite = Extract<CompositeName, 'Relu' | 'Softmax'>

/** Every operator that reaches this package; the compiler reports one that lacks a lowering. */
export type LoweringTable = { readonly [O in PrimitiveName | ClaimedComposite]: Lowering<O> }
