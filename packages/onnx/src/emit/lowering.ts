/** What a lowering is: one core node in, ONNX nodes out, the names of its results back. */
import type { CompositeName, Graph, NodeOf, OpAttrs, OpName, PrimitiveName, ValueInfo } from '@fep-moe/core'
import type { GraphWriter } from './writer.js'

/** One node as its lowering sees it. */
export interface Call<O extends OpName> {
  readonly node: NodeOf<O>
  readonly attrs: OpAttrs[O]
  /** ONNX names of the operands. */
  readonly inputs: readonly string[]
  readonly inputInfos: readonly ValueInfo[]
  /** Names that the results should carry. A lowering may answer with others: a result that is an operand is no node. */
  readonly outputs: readonly string[]
  readonly outputInfos: readonly ValueInfo[]
  /** Which results something reads. A result that nothing reads needs no name: answer with ''. */
  readonly used: readonly boolean[]
  /** Lowers a closed graph in place: operands in, results out, names prefixed. */
  inline(graph: Graph, operands: readonly string[], writer: GraphWriter, prefix: string): readonly string[]
  /** Lowers this composite by its definition in core. */
  expand(writer: GraphWriter): readonly string[]
}

/** Emits the nodes of one core operator and returns the names of its results. */
export type Lowering<O extends OpName> = (call: Call<O>, writer: GraphWriter) => readonly string[]

/** The composites that have a native lowering here. */
export type ClaimedComposite = Extract<
  CompositeName,
  | 'Relu'
  | 'Linear'
  | 'Softmax'
  | 'LogSoftmax'
  | 'LayerNorm'
  | 'Gelu'
  | 'Softplus'
  | 'ReduceMean'
  | 'ArgMax'
  | 'Clip'
>

/** Every operator that reaches this package; the compiler reports one that lacks a lowering. */
export type LoweringTable = { readonly [O in PrimitiveName | ClaimedComposite]: Lowering<O> }
