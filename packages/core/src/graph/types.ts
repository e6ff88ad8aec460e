/**
 * The graph: plain, JSON-able data. A graph says what is computed; it knows no backend, no device and no gate.
 * Values are named by strings that are unique in their graph, every value has one definition, and nodes are in
 * topological order (`verifyGraph` checks all of it).
 */
import type { OpAttrs, OpName } from '../ops/attrs.js'

/** Element types: IEEE single, 32-bit two's complement, and booleans stored one per byte. */
export type DType = 'float32' | 'int32' | 'bool'

/** The one symbolic dimension, or a whole multiple of it (what merging it with a known dimension gives). */
export type BatchDim = 'batch' | `${number}*batch`

/** A dimension: a non-negative integer, or symbolic. */
export type Dim = number | BatchDim

/** A shape, outermost dimension first. `[]` is a scalar. */
export type Shape = readonly Dim[]

/** What is known of a value before anything runs. */
export interface ValueInfo {
  readonly dtype: DType
  readonly shape: Shape
}

/** One application of an operator. A discriminated union over `op`, so attributes are typed. */
export type Node = { [O in OpName]: NodeOf<O> }[OpName]

/** A node of one operator. */
export interface NodeOf<O extends OpName> {
  readonly op: O
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attrs: OpAttrs[O]
}

/** A result of a graph: a public name and the value it exposes. Two results may expose one value. */
export interface GraphOutput {
  readonly name: string
  readonly value: string
}

/** A closed graph. `values` describes every input and every node output. */
export interface Graph {
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly GraphOutput[]
  readonly nodes: readonly Node[]
  readonly values: Readonly<Record<string, ValueInfo>>
}
