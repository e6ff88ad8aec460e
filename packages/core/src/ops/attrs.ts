/** The closed set of operators, as the attributes each one takes. Everything else is typed from this table. */
import type { DType, Graph, Shape } from '../graph/types.js'

/** No attributes. */
export type None = Readonly<Record<never, never>>

/** Operators that every backend must lower. */
export interface PrimitiveAttrs {
  /**
   * A literal. Numbers are doubles; the executor rounds them to the dtype. Large parameters that were bound to a graph are typed
   * arrays: such a graph is no JSON, but does not hold them eight bytes each.
   */
  Constant: { readonly dtype: DType; readonly shape: readonly number[]; readonly data: ArrayLike<number> }
  Neg: None
  Exp: None
  Log: None
  Sqrt: None
  Tanh: None
  Sigmoid: None
  Erf: None
  Sin: None
  Cos: None
  Add: None
  Sub: None
  Mul: None
  Div: None
  Max: None
  Min: None
  Greater: None
  GreaterOrEqual: None
  Equal: None
  And: None
  Not: None
  Where: None
  Cast: { readonly to: DType }
  Reshape: { readonly shape: Shape }
  Transpose: { readonly perm: readonly number[] }
  Expand: { readonly shape: Shape }
  /** Unit steps; 0 <= start <= end <= dim. */
  Slice: {
    readonly axes: readonly number[]
    readonly starts: readonly number[]
    readonly ends: readonly number[]
  }
  Concat: { readonly axis: number }
  /** `pads` as ONNX has it: all begins, then all ends. */
  Pad: { readonly pads: readonly number[]; readonly value: number }
  ReduceSum: { readonly axes: readonly number[]; readonly keepdims: boolean }
  ReduceMax: { readonly axes: readonly number[]; readonly keepdims: boolean }
  CumSum: { readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean }
  MatMul: None
  Gather: { readonly axis: number }
  ScatterND: None
  GatherElements: { readonly axis: number }
  ScatterElements: { readonly axis: number }
  TopK: { readonly k: number; readonly axis: number }
  Size: None
  LinearScan: { readonly axis: number; readonly reverse: boolean }
  Scan: {
    /** Closed: inputs are states, slices, constants, in this order; outputs are next states, then slices of ys. */
    readonly body: Graph
    readonly states: number
    readonly xs: number
    /** The scanned axis of every x and every y. */
    readonly axis: number
    /** Walk from the last slice to the first; ys keep the order of xs. */
    readonly reverse: boolean
    /** The axis of each state (and, after removing `axis`, of each slice) along which the body is row-wise; null: no promise. */
    readonly batchAxis: number | null
  }
  GroupedMatMul: { readonly mode: 'forward' | 'weight' }
  StopGradient: None
}

/** Operators with a definition in terms of primitives; a backend may claim one natively. */
export interface CompositeAttrs {
  Relu: None
  /** x (…, in) with weight (out, in) and optional bias (out), as torch.nn.Linear. */
  Linear: None
  Softmax: { readonly axis: number }
  LogSoftmax: { readonly axis: number }
  LogSumExp: { readonly axis: number; readonly keepdims: boolean }
  LayerNorm: { readonly axis: number; readonly epsilon: number }
  /** x/2 (1 + erf(x/√2)) */
  Gelu: None
  Silu: None
  Softplus: None
  ReduceMean: { readonly axes: readonly number[]; readonly keepdims: boolean }
  /** int32 indices to float32 one-hot vectors on a new last axis. */
  OneHot: { readonly depth: number }
  /** int32 index of the largest element; the lower index wins a tie. */
  ArgMax: { readonly axis: number; readonly keepdims: boolean }
  Clip: { readonly min: number; readonly max: number }
  /** Per-row −log softmax(logits)[target]; classes on `axis`. */
  CrossEntropy: { readonly axis: number }
  /** torch.nn.GRUCell: x, h, weight_ih (3H,I), weight_hh (3H,H), bias_ih, bias_hh. */
  GruCell: None
}

/** Attributes of every operator. */
export interface OpAttrs extends PrimitiveAttrs, CompositeAttrs {}

/** A primitive's name. */
export type PrimitiveName = keyof PrimitiveAttrs
/** A composite's name. */
export type CompositeName = keyof CompositeAttrs
/** Any operator's name. */
export type OpName = keyof OpAttrs
