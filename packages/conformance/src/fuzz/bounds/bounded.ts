/**
 * A value with, for every element, a bound on how far an executor's float32 result may be from it. The value itself is
 * computed in doubles. An infinite bound means that nothing is known: the element depends on a decision that rounding
 * may turn, or left the range in which rounding analysis holds.
 */
import {
  type Capabilities,
  type DType,
  makeArray,
  type NdArray,
  type OpName,
  type Primitive,
  type PrimitiveAttrs,
  type PrimitiveName,
  primitives,
  type Tensor,
} from '@fep-moe/core'

/** See the file's header. Integers and booleans are exact (bound 0) or unknown (infinite). */
export interface Bounded extends NdArray {
  readonly error: Float64Array
  /**
   * Where an element was computed: copies of one element carry one number, wherever they were moved to. Two of them are
   * equal however they were rounded, which the gradient of a maximum relies on.
   */
  readonly origin: Int32Array
}

/** A numeric type, as an evaluation rule gets it. */
export interface Info {
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** A decision that rounding may turn, or a number out of range. */
export interface Fragility {
  readonly op: OpName
  /** Distance from the decision's boundary; the magnitude of a number that is out of range. */
  readonly margin: number
  /** What the distance may be off by. */
  readonly bound: number
}

/** What rules share while one graph is evaluated. */
export class Evaluation {
  private origins = 1
  /** Decisions that could not be settled, and the closest of them relative to its bound. */
  unsettled = 0
  closest: Fragility | undefined

  constructor(readonly accuracy: Capabilities['accuracy']) {}

  /** Numbers no other element has. */
  fresh(length: number): Int32Array {
    const start = this.origins
    this.origins += length
    return Int32Array.from({ length }, (_, i) => start + i)
  }

  /** Notes a decision that is too close to call. */
  note(op: OpName, margin: number, bound: number): void {
    this.unsettled++
    if (!this.closest || margin < this.closest.margin) this.closest = { op, margin, bound }
  }
}

/** Unit roundoff of float32, and a trace more for the doubles that values are computed in. */
export const UNIT = 2 ** -24 * (1 + 2 ** -20)
/** One unit in the last place, relative. */
export const ULP = 2 ** -23
/** What flushing a subnormal to zero changes, with room for a factor behind it. */
export const TINY = 2 ** -120
/** Beyond this, a float32 intermediate may overflow where the doubles do not. */
const RANGE = 1e30

/** The error of n roundings in a row, relative: n u / (1 − n u) (Higham, Accuracy and Stability, §3.1). */
export const gamma = (n: number): number => (n * UNIT) / (1 - n * UNIT)

/** A float or discrete result with fresh origins; what is not finite or out of range becomes unknown. */
export function bounded(
  evaluation: Evaluation,
  op: OpName,
  { dtype, shape, data }: NdArray,
  error: Float64Array,
): Bounded {
  for (let i = 0; i < error.length; i++) {
    const [e, v] = [error[i] as number, Math.abs(data[i] as number)]
    if (dtype === 'float32' ? e + v <= RANGE : e === 0) continue
    if (e < Number.POSITIVE_INFINITY) evaluation.note(op, v, e)
    error[i] = Number.POSITIVE_INFINITY
  }
  return { dtype, shape, data, error, origin: evaluation.fresh(error.length) }
}

/** A feed or a state: exact. */
export function exactly(evaluation: Evaluation, { dtype, shape, data }: Tensor): Bounded {
  const doubles = dtype === 'float32' ? Float64Array.from(data) : data
  return {
    dtype,
    shape,
    data: doubles,
    error: new Float64Array(data.length),
    origin: evaluation.fresh(data.length),
  }
}

/** The reference's own evaluation in doubles. */
export function evaluate<O extends PrimitiveName>(
  op: O,
  inputs: readonly NdArray[],
  attrs: PrimitiveAttrs[O],
  infos: readonly Info[],
): readonly NdArray[] {
  const rule = primitives[op] as unknown as Primitive<O>
  return rule.eval(inputs, attrs, infos, {
    make: (dtype, shape) => makeArray(dtype, shape, 'float64'),
    call: () => [],
  })
}

/** The bounds, or any other numbers of the same shape, as an array that can be moved. */
export const asFloats = (x: NdArray, data: Float64Array): NdArray => ({
  dtype: 'float32',
  shape: x.shape,
  data,
})

/** An operator that moves elements: bounds and origins move along. */
export function move<O extends PrimitiveName>(
  op: O,
  inputs: readonly Bounded[],
  attrs: PrimitiveAttrs[O],
  info: Info,
  others: { readonly forErrors?: PrimitiveAttrs[O]; readonly forOrigins?: PrimitiveAttrs[O] } = {},
): Bounded {
  const { dtype, shape } = info
  const data = evaluate(op, inputs, attrs, [info])[0] as NdArray
  const moved = (arrays: NdArray[], of: PrimitiveAttrs[O] | undefined, as: DType) =>
    (evaluate(op, arrays, of ?? attrs, [{ dtype: as, shape }])[0] as NdArray).data
  const errors = inputs.map((x) => asFloats(x, x.error))
  const origins = inputs.map((x): NdArray => ({ dtype: 'int32', shape: x.shape, data: x.origin }))
  return {
    dtype,
    shape,
    data: data.data,
    error: moved(errors, others.forErrors, 'float32') as Float64Array,
    origin: moved(origins, others.forOrigins, 'int32') as Int32Array,
  }
}

/** Repeats a value to a shape. */
export function broadcast(x: Bounded, shape: readonly number[]): Bounded {
  if (x.shape.length === shape.length && x.shape.every((d, i) => d === shape[i])) return x
  return move('Expand', [x], { shape }, { dtype: x.dtype, shape })
}
