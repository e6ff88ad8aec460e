/** The diagonal linear recurrence h_t = a_t ⊙ h_{t−1} + b_t. */
import type { Value } from '../graph/builder.js'
import { add, concat, expand, linearScan, mul, pad, slice } from '../graph/expressions.js'
import { broadcastShapes, formatShape, sameShape } from '../graph/shape.js'
import type { Dim, ValueInfo } from '../graph/types.js'
import { broadcastStrides, walk } from './arrays.js'
import type { NdArray, Primitive } from './definition.js'
import { count, expect, expectDType, unbroadcast } from './rules.js'

const withAxis = (shape: readonly Dim[], axis: number, dim: Dim): Dim[] =>
  shape.map((d, i) => (i === axis ? dim : d))

export const LinearScan: Primitive<'LinearScan'> = {
  spec: 'h_t = a_t ⊙ h_{t−1} + b_t along one axis; a and h0 broadcast to b; outputs h and its last slice (axis kept as 1)',
  arity: [3, 3],
  infer: (inputs, { axis }) => {
    const [a, b, h0] = inputs as [ValueInfo, ValueInfo, ValueInfo]
    inputs.forEach((info, i) => expectDType(info, i, 'float32'))
    expect(typeof b.shape[axis] === 'number', `axis ${axis} of ${formatShape(b.shape)} cannot be scanned`)
    const last = withAxis(b.shape, axis, 1)
    expect(
      a.shape.length === b.shape.length && sameShape(broadcastShapes(a.shape, b.shape), b.shape),
      `a ${formatShape(a.shape)} does not broadcast to b ${formatShape(b.shape)}`,
    )
    expect(
      h0.shape.length === b.shape.length && sameShape(broadcastShapes(h0.shape, last), last),
      `h0 ${formatShape(h0.shape)} does not broadcast to ${formatShape(last)}`,
    )
    return [
      { dtype: 'float32', shape: b.shape },
      { dtype: 'float32', shape: last },
    ]
  },
  /**
   * The adjoint runs the other way: λ_t = g_t + a_{t+1} λ_{t+1}. Then ∂b = λ, ∂a_t = λ_t h_{t−1}, ∂h0 = a_0 λ_0.
   * Written for the forward direction; `reverse` mirrors every step.
   */
  grad: ({ inputs, outputs, attrs, grads, wants }) => {
    const [a, b, h0] = inputs as [Value, Value, Value]
    const { axis, reverse } = attrs
    const steps = b.shape[axis] as number
    if (steps === 0)
      return [undefined, undefined, wants[2] && grads[1] ? unbroadcast(grads[1], h0) : undefined]
    const [gh, gLast] = grads
    const timeVarying = a.shape[axis] !== 1
    const source = gh ?? expand(b.builder.constant(0), b.shape)
    let adjoint: Value
    let first: Value
    if (timeVarying) {
      // a shifted by one step; where it runs out, 1 carries the gradient of the last state in.
      const shifted = reverse
        ? pad(slice(a, axis, 0, steps - 1), axis, 1, 0, 1)
        : pad(slice(a, axis, 1, steps), axis, 0, 1, 1)
      ;({ h: adjoint, last: first } = linearScan(shifted, source, gLast ?? 0, { axis, reverse: !reverse }))
    } else {
      const late = gLast
        ? add(
            source,
            pad(
              expand(gLast, withAxis(b.shape, axis, 1)),
              axis,
              reverse ? 0 : steps - 1,
              reverse ? steps - 1 : 0,
            ),
          )
        : source
      ;({ h: adjoint, last: first } = linearScan(a, late, 0, { axis, reverse: !reverse }))
    }
    const before = (): Value => {
      const h = outputs[0] as Value
      const start = expand(h0, withAxis(b.shape, axis, 1))
      if (steps === 1) return start
      return reverse
        ? concat([slice(h, axis, 1, steps), start], axis)
        : concat([start, slice(h, axis, 0, steps - 1)], axis)
    }
    const aFirst = () =>
      timeVarying ? slice(a, axis, ...((reverse ? [steps - 1, steps] : [0, 1]) as [number, number])) : a
    return [
      wants[0] ? unbroadcast(mul(adjoint, before()), a) : undefined,
      wants[1] ? adjoint : undefined,
      wants[2] ? unbroadcast(mul(aFirst(), first), h0) : undefined,
    ]
  },
  eval: ([a, b, h0], { axis, reverse }, [full, last], scope) => {
    const h = scope.make('float32', (full as { shape: readonly number[] }).shape)
    const end = scope.make('float32', (last as { shape: readonly number[] }).shape)
    const steps = h.shape[axis] as number
    const lanes = end.shape
    const strides = [a, b, h0, end].map((x, i) =>
      broadcastStrides((x as NdArray).shape, i === 1 ? h.shape : i === 0 ? h.shape : lanes),
    )
    const [aStep, bStep] = [strides[0]?.[axis] as number, strides[1]?.[axis] as number]
    walk(lanes, strides as number[][], (_i, at) => {
      const [ai, bi, hi, ei] = at as [number, number, number, number]
      let state = (h0 as NdArray).data[hi] as number
      for (let k = 0; k < steps; k++) {
        const t = reverse ? steps - 1 - k : k
        h.data[bi + t * bStep] =
          ((a as NdArray).data[ai + t * aStep] as number) * state +
          ((b as NdArray).data[bi + t * bStep] as number)
        state = h.data[bi + t * bStep] as number
      }
      end.data[ei] = state
    })
    return [h, end]
  },
  flops: ([, b]) => 2 * count(b),
}
