/** Reductions and running sums. Sums accumulate in doubles on the reference. */
import type { Value } from '../graph/builder.js'
import { cast, cumsum, div, equal, expand, mul, reshape, sum } from '../graph/expressions.js'
import { formatShape, stridesOf } from '../graph/shape.js'
import type { ValueInfo } from '../graph/types.js'
import { around, walk } from './arrays.js'
import type { NdArray, Primitive, PrimitiveTable } from './definition.js'
import { count, expect, expectDType } from './rules.js'

/** The shape that a reduction leaves. */
export function reducedShape(
  { shape }: ValueInfo,
  axes: readonly number[],
  keepdims: boolean,
): ValueInfo['shape'] {
  expect(
    axes.every(
      (a, i) => Number.isInteger(a) && a >= 0 && a < shape.length && (i === 0 || a > (axes[i - 1] as number)),
    ),
    `axes (${axes.join(', ')}) must be rising axes of ${formatShape(shape)}`,
  )
  return keepdims
    ? shape.map((d, i) => (axes.includes(i) ? 1 : d))
    : shape.filter((_, i) => !axes.includes(i))
}

function reduction<O extends 'ReduceSum' | 'ReduceMax'>(
  spec: string,
  start: number,
  f: (total: number, x: number) => number,
  grad: Primitive<O>['grad'],
): Primitive<O> {
  return {
    spec,
    arity: [1, 1],
    infer: ([x], { axes, keepdims }) => {
      expectDType(x, 0, 'float32', 'int32')
      return [{ dtype: (x as ValueInfo).dtype, shape: reducedShape(x as ValueInfo, axes, keepdims) }]
    },
    grad,
    eval: ([x], { axes }, [info], scope) => {
      const from = x as NdArray
      const out = scope.make(from.dtype, (info as { shape: readonly number[] }).shape)
      const kept = from.shape.filter((_, i) => !axes.includes(i))
      const own = stridesOf(kept)
      let k = 0
      const strides = from.shape.map((_, i) => (axes.includes(i) ? 0 : (own[k++] as number)))
      const totals = new Float64Array(out.data.length).fill(start)
      walk(from.shape, [strides], (i, at) => {
        totals[at[0] as number] = f(totals[at[0] as number] as number, from.data[i] as number)
      })
      out.data.set(totals)
      return [out]
    },
    flops: ([x]) => count(x),
  }
}

/** A reduced value, seen with its axes kept as 1. */
const keep = (value: Value, x: Value, axes: readonly number[]): Value =>
  reshape(
    value,
    x.shape.map((d, i) => (axes.includes(i) ? 1 : d)),
  )

export const reduce: Pick<PrimitiveTable, 'ReduceSum' | 'ReduceMax' | 'CumSum'> = {
  ReduceSum: reduction(
    'ONNX ReduceSum-13',
    0,
    (total, x) => total + x,
    ({ inputs, attrs, grads }) => {
      const x = inputs[0] as Value
      return [expand(keep(grads[0] as Value, x, attrs.axes), x.shape)]
    },
  ),
  ReduceMax: reduction(
    'ONNX ReduceMax-20',
    Number.NEGATIVE_INFINITY,
    Math.max,
    ({ inputs, outputs, attrs, grads }) => {
      // Equal maxima share the gradient, as torch.amax has it.
      const x = inputs[0] as Value
      const winners = cast(equal(x, keep(outputs[0] as Value, x, attrs.axes)), 'float32')
      return [mul(winners, div(keep(grads[0] as Value, x, attrs.axes), sum(winners, attrs.axes, true)))]
    },
  ),
  CumSum: {
    spec: 'ONNX CumSum-14',
    arity: [1, 1],
    infer: ([x], { axis }) => {
      expectDType(x, 0, 'float32', 'int32')
      expect(
        axis >= 0 && axis < (x as ValueInfo).shape.length,
        `axis ${axis} is outside ${formatShape((x as ValueInfo).shape)}`,
      )
      return [x as ValueInfo]
    },
    grad: ({ attrs, grads }) => [
      cumsum(grads[0] as Value, attrs.axis, { exclusive: attrs.exclusive, reverse: !attrs.reverse }),
    ],
    eval: ([x], { axis, exclusive, reverse }, _infos, scope) => {
      const from = x as NdArray
      const out = scope.make(from.dtype, from.shape)
      const { outer, length, inner } = around(from.shape, axis)
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          let total = 0
          for (let step = 0; step < length; step++) {
            const at = (o * length + (reverse ? length - 1 - step : step)) * inner + i
            if (exclusive) out.data[at] = total
            total += from.data[at] as number
            if (!exclusive) out.data[at] = total
          }
        }
      }
      return [out]
    },
    flops: ([x]) => count(x),
  },
}
