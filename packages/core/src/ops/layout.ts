/** Operators that move elements without changing them. */
import type { Value } from '../graph/builder.js'
import { pad, permute, reshape, slice } from '../graph/expressions.js'
import { broadcastShapes, countOf, formatShape, isDim, sameShape, sizeOf, stridesOf } from '../graph/shape.js'
import type { Dim, ValueInfo } from '../graph/types.js'
import { broadcastStrides, walk } from './arrays.js'
import type { NdArray, PrimitiveTable } from './definition.js'
import { expect, unbroadcast } from './rules.js'

const X = (inputs: readonly (ValueInfo | undefined)[]) => inputs[0] as ValueInfo

function copyStrided(x: NdArray, out: NdArray, strides: readonly number[], start = 0): NdArray {
  walk(out.shape, [strides], (i, at) => {
    out.data[i] = x.data[start + (at[0] as number)] as number
  })
  return out
}

export const layout: Pick<
  PrimitiveTable,
  'Constant' | 'Reshape' | 'Transpose' | 'Expand' | 'Slice' | 'Concat' | 'Pad'
> = {
  Constant: {
    spec: 'ONNX Constant-21',
    arity: [0, 0],
    infer: (_inputs, { dtype, shape, data }) => {
      expect(
        shape.every((d) => isDim(d)),
        `shape ${formatShape(shape)} holds no dimension`,
      )
      expect(countOf(shape) === data.length, `${data.length} numbers do not fill ${formatShape(shape)}`)
      return [{ dtype, shape }]
    },
    grad: null,
    eval: (_inputs, { dtype, shape, data }, _infos, scope) => {
      const out = scope.make(dtype, shape)
      out.data.set(data)
      return [out]
    },
    flops: () => 0,
  },
  Reshape: {
    spec: 'ONNX Reshape-21, every dimension given',
    arity: [1, 1],
    infer: (inputs, { shape }) => {
      const from = sizeOf(X(inputs).shape)
      const to = sizeOf(shape)
      expect(shape.every(isDim), `${formatShape(shape)} is no shape`)
      expect(
        from.factor === to.factor && (from.power === to.power || from.factor === 0),
        `${formatShape(X(inputs).shape)} does not hold as many elements as ${formatShape(shape)}`,
      )
      return [{ dtype: X(inputs).dtype, shape }]
    },
    grad: ({ inputs, grads }) => [reshape(grads[0] as Value, (inputs[0] as Value).shape)],
    eval: ([x], _attrs, [info]) => [
      {
        dtype: (x as NdArray).dtype,
        shape: (info as { shape: readonly number[] }).shape,
        data: (x as NdArray).data,
      },
    ],
    flops: () => 0,
  },
  Transpose: {
    spec: 'ONNX Transpose-21',
    arity: [1, 1],
    infer: (inputs, { perm }) => {
      const { dtype, shape } = X(inputs)
      expect(
        [...perm].sort((a, b) => a - b).join() === shape.map((_, i) => i).join(),
        `perm (${perm.join(', ')}) does not permute ${shape.length} axes`,
      )
      return [{ dtype, shape: perm.map((p) => shape[p] as Dim) }]
    },
    grad: ({ attrs, grads }) => [
      permute(
        grads[0] as Value,
        attrs.perm.map((_, i) => attrs.perm.indexOf(i)),
      ),
    ],
    eval: ([x], { perm }, [info], scope) => {
      const { dtype, shape } = x as NdArray
      const strides = stridesOf(shape)
      return [
        copyStrided(
          x as NdArray,
          scope.make(dtype, (info as { shape: readonly number[] }).shape),
          perm.map((p) => strides[p] as number),
        ),
      ]
    },
    flops: () => 0,
  },
  Expand: {
    spec: 'ONNX Expand-13, one-directional',
    arity: [1, 1],
    infer: (inputs, { shape }) => {
      expect(
        shape.every(isDim) && sameShape(broadcastShapes(X(inputs).shape, shape), shape),
        `${formatShape(X(inputs).shape)} does not broadcast to ${formatShape(shape)}`,
      )
      return [{ dtype: X(inputs).dtype, shape }]
    },
    grad: ({ inputs, grads }) => [unbroadcast(grads[0] as Value, inputs[0] as Value)],
    eval: ([x], _attrs, [info], scope) => {
      const { shape } = info as { shape: readonly number[] }
      return [
        copyStrided(
          x as NdArray,
          scope.make((x as NdArray).dtype, shape),
          broadcastStrides((x as NdArray).shape, shape),
        ),
      ]
    },
    flops: () => 0,
  },
  Slice: {
    spec: 'ONNX Slice-13 with unit steps and resolved bounds',
    arity: [1, 1],
    infer: (inputs, { axes, starts, ends }) => {
      const shape = [...X(inputs).shape]
      expect(
        axes.length === starts.length && axes.length === ends.length && new Set(axes).size === axes.length,
        'axes, starts and ends must have one entry per sliced axis',
      )
      axes.forEach((axis, i) => {
        const dim = shape[axis]
        const [start, end] = [starts[i] as number, ends[i] as number]
        expect(typeof dim === 'number', `axis ${axis} of ${formatShape(X(inputs).shape)} cannot be sliced`)
        expect(
          Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end <= dim,
          `bounds ${start}..${end} are outside 0..${dim} on axis ${axis}`,
        )
        shape[axis] = end - start
      })
      return [{ dtype: X(inputs).dtype, shape }]
    },
    grad: ({ inputs, attrs, grads }) => {
      const x = inputs[0] as Value
      let g = grads[0] as Value
      attrs.axes.forEach((axis, i) => {
        g = pad(g, axis, attrs.starts[i] as number, (x.shape[axis] as number) - (attrs.ends[i] as number))
      })
      return [g]
    },
    eval: ([x], { axes, starts }, [info], scope) => {
      const strides = stridesOf((x as NdArray).shape)
      const start = axes.reduce((at, axis, i) => at + (starts[i] as number) * (strides[axis] as number), 0)
      return [
        copyStrided(
          x as NdArray,
          scope.make((x as NdArray).dtype, (info as { shape: readonly number[] }).shape),
          strides,
          start,
        ),
      ]
    },
    flops: () => 0,
  },
  Concat: {
    spec: 'ONNX Concat-13',
    arity: [1, Number.POSITIVE_INFINITY],
    infer: (inputs, { axis }) => {
      const first = X(inputs)
      let total = 0
      for (const part of inputs) {
        const dim = part.shape[axis]
        expect(part.dtype === first.dtype, 'operands differ in dtype')
        expect(typeof dim === 'number', `axis ${axis} of ${formatShape(part.shape)} cannot be joined`)
        expect(
          part.shape.length === first.shape.length &&
            part.shape.every((d, i) => i === axis || d === first.shape[i]),
          `${formatShape(part.shape)} does not join ${formatShape(first.shape)} on axis ${axis}`,
        )
        total += dim
      }
      return [{ dtype: first.dtype, shape: first.shape.map((d, i) => (i === axis ? total : d)) }]
    },
    grad: ({ inputs, attrs, grads, wants }) => {
      let at = 0
      return inputs.map((part, i) => {
        const from = at
        at += part.shape[attrs.axis] as number
        return wants[i] ? slice(grads[0] as Value, attrs.axis, from, at) : undefined
      })
    },
    eval: (inputs, { axis }, [info], scope) => {
      const out = scope.make((inputs[0] as NdArray).dtype, (info as { shape: readonly number[] }).shape)
      const strides = stridesOf(out.shape)
      let at = 0
      for (const part of inputs) {
        const start = at
        walk(part.shape, [strides], (i, offset) => {
          out.data[start + (offset[0] as number)] = part.data[i] as number
        })
        at += (part.shape[axis] as number) * (strides[axis] as number)
      }
      return [out]
    },
    flops: () => 0,
  },
  Pad: {
    spec: 'ONNX Pad-21, mode constant, pads >= 0',
    arity: [1, 1],
    infer: (inputs, { pads }) => {
      const { dtype, shape } = X(inputs)
      const rank = shape.length
      expect(
        pads.length === 2 * rank && pads.every((p) => Number.isInteger(p) && p >= 0),
        `pads (${pads.join(', ')}) must hold ${2 * rank} integers >= 0`,
      )
      return [
        {
          dtype,
          shape: shape.map((dim, i) => {
            const more = (pads[i] as number) + (pads[rank + i] as number)
            expect(
              more === 0 || typeof dim === 'number',
              `axis ${i} of ${formatShape(shape)} cannot be padded`,
            )
            return typeof dim === 'number' ? dim + more : dim
          }),
        },
      ]
    },
    grad: ({ inputs, attrs, grads }) => {
      const x = inputs[0] as Value
      let g = grads[0] as Value
      x.shape.forEach((dim, axis) => {
        if (typeof dim === 'number')
          g = slice(g, axis, attrs.pads[axis] as number, (attrs.pads[axis] as number) + dim)
      })
      return [g]
    },
    eval: ([x], { pads, value }, [info], scope) => {
      const out = scope.make((x as NdArray).dtype, (info as { shape: readonly number[] }).shape)
      if (value !== 0) out.data.fill(value)
      const strides = stridesOf(out.shape)
      const start = strides.reduce((at, stride, i) => at + stride * (pads[i] as number), 0)
      walk((x as NdArray).shape, [strides], (i, at) => {
        out.data[start + (at[0] as number)] = (x as NdArray).data[i] as number
      })
      return [out]
    },
    flops: () => 0,
  },
}
