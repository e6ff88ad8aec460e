/** What an operator is: shape rule, gradient, reference evaluation and cost, in one record. */
import type { Value } from '../graph/builder.js'
import type { DType, ValueInfo } from '../graph/types.js'
import type { TensorData } from '../tensor.js'
import type { CompositeAttrs, CompositeName, PrimitiveAttrs, PrimitiveName } from './attrs.js'

/** An array during reference evaluation. Floats are Float32Array or Float64Array, as the interpreter was asked. */
export interface NdArray {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: TensorData
}

/** What an evaluation rule may ask of the interpreter. */
export interface EvalScope {
  /** A zero-filled array in the interpreter's precision. */
  make(dtype: DType, shape: readonly number[]): NdArray
  /** Runs a closed graph (a Scan body). */
  call(graph: import('../graph/types.js').Graph, inputs: readonly NdArray[]): NdArray[]
}

/** Work of one node: floating-point operations and bytes touched, for numeric shapes. */
export interface Cost {
  readonly flops: number
  readonly bytes: number
}

/** A node as a gradient rule sees it, on the builder that is being extended. */
export interface GradScope<O extends PrimitiveName> {
  readonly attrs: PrimitiveAttrs[O]
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /** Gradients of the outputs; undefined where none arrives. At least one is there. */
  readonly grads: readonly (Value | undefined)[]
  /** Which inputs want a gradient. */
  readonly wants: readonly boolean[]
  /** Replaces the node's attributes and appends outputs: how a Scan learns to save its states. */
  extend(attrs: PrimitiveAttrs[O], more: readonly ValueInfo[]): Value[]
}

/** A primitive operator. */
export interface Primitive<O extends PrimitiveName> {
  /** Where the semantics come from: `ONNX Add-14`, or this project's own definition. */
  readonly spec: string
  /** Fewest and most inputs. */
  readonly arity: readonly [number, number]
  /** Shape rule. @throws FEP_BAD_GRAPH */
  infer(inputs: readonly ValueInfo[], attrs: PrimitiveAttrs[O]): readonly ValueInfo[]
  /** Gradient rule; `null`: the operator has none (its outputs are discrete, or the gradient is stopped). */
  readonly grad: ((scope: GradScope<O>) => readonly (Value | undefined)[]) | null
  /** Reference semantics. Shapes are numeric here. */
  eval(
    inputs: readonly NdArray[],
    attrs: PrimitiveAttrs[O],
    outputs: readonly { dtype: DType; shape: readonly number[] }[],
    scope: EvalScope,
  ): readonly NdArray[]
  /** Floating-point operations for numeric shapes; bytes are counted from the operands for every operator alike. */
  flops(inputs: readonly ValueInfo[], outputs: readonly ValueInfo[], attrs: PrimitiveAttrs[O]): number
}

/** A composite operator: a shape rule and a definition. Gradient, evaluation and cost follow from the definition. */
export interface Composite<O extends CompositeName> {
  readonly spec: string
  readonly arity: readonly [number, number]
  /** Shape rule. @throws FEP_BAD_GRAPH */
  infer(inputs: readonly ValueInfo[], attrs: CompositeAttrs[O]): readonly ValueInfo[]
  /** The same in primitives, with the shapes that `infer` says. */
  define(inputs: readonly Value[], attrs: CompositeAttrs[O]): readonly Value[]
}

/** A table that must list every primitive. */
export type PrimitiveTable = { readonly [O in PrimitiveName]: Primitive<O> }
/** A table that must list every composite. */
export type CompositeTable = { readonly [O in CompositeName]: Composite<O> }
