/** Operators whose result depends on indices: gather, scatter-add, top-k. Scatters add in index order: results are repeatable. */
import type { Value } from '../graph/builder.js'
import {
  add,
  cast,
  equal,
  expand,
  gather,
  gatherElements,
  greaterOrEqual,
  matmul,
  permute,
  reshape,
  scatterAdd,
  scatterElementsAdd,
  where,
} from '../graph/expressions.js'
import { formatShape, mergeDims, sameShape } from '../graph/shape.js'
import type { Dim, ValueInfo } from '../graph/types.js'
import { around, checkedIndex } from './arrays.js'
import type { NdArray, PrimitiveTable } from './definition.js'
import { count, expect, expectDType } from './rules.js'

/** Up to this many rows, the gradient of Gather is a one-hot product: no scatter, and fast on every backend. */
const ONE_HOT_ROWS = 256

const zerosLike = (x: Value): Value => expand(x.builder.constant(0), x.shape)

export const indexing: Pick<
  PrimitiveTable,
  'Gather' | 'ScatterND' | 'GatherElements' | 'ScatterElements' | 'TopK'
> = {
  Gather: {
    spec: 'ONNX Gather-13, int32 indices',
    arity: [2, 2],
    infer: ([x, indices], { axis }) => {
      expectDType(indices, 1, 'int32')
      const { dtype, shape } = x as ValueInfo
      expect(typeof shape[axis] === 'number', `axis ${axis} of ${formatShape(shape)} cannot be indexed`)
      return [
        {
          dtype,
          shape: [...shape.slice(0, axis), ...(indices as ValueInfo).shape, ...shape.slice(axis + 1)],
        },
      ]
    },
    grad: ({ inputs, attrs, grads }) => {
      const [x, indices] = inputs as [Value, Value]
      const { axis } = attrs
      const rank = indices.shape.length
      const lead = x.shape.map((_, i) => i).filter((i) => i !== axis)
      const rowShape = lead.map((i) => x.shape[i] as Dim)
      // Bring the indexed axes to the front, so that the gradient is a list of rows.
      const g = permute(grads[0] as Value, [
        ...indices.shape.map((_, i) => axis + i),
        ...lead.map((i) => (i < axis ? i : i - 1 + rank)),
      ])
      const flat = reshape(indices, [-1])
      const back = (rows: Value) =>
        permute(
          rows,
          x.shape.map((_, i) => (i === axis ? 0 : 1 + lead.indexOf(i))),
        )
      const total = x.shape[axis] as number
      if (total > ONE_HOT_ROWS) {
        const rows = reshape(g, [flat.shape[0] as Dim, ...rowShape])
        return [
          back(scatterAdd(expand(x.builder.constant(0), [total, ...rowShape]), reshape(flat, [-1, 1]), rows)),
          undefined,
        ]
      }
      const table = x.builder.constant(
        Array.from({ length: total }, (_, i) => i),
        [total, 1],
        'int32',
      )
      // A negative index counts from the end, as the forward pass has it.
      const row = where(greaterOrEqual(flat, 0), flat, add(flat, total))
      const hot = cast(equal(table, reshape(row, [1, -1])), 'float32')
      return [
        back(
          reshape(matmul(hot, reshape(g, [flat.shape[0] as Dim, mergeDims(rowShape)])), [total, ...rowShape]),
        ),
        undefined,
      ]
    },
    eval: ([x, indices], { axis }, [info], scope) => {
      const from = x as NdArray
      const out = scope.make(from.dtype, (info as { shape: readonly number[] }).shape)
      const { outer, length, inner } = around(from.shape, axis)
      const picks = (indices as NdArray).data
      for (let o = 0; o < outer; o++) {
        for (let p = 0; p < picks.length; p++) {
          const start = (o * length + checkedIndex(picks[p] as number, length)) * inner
          out.data.set(
            from.data.subarray(start, start + inner) as Float32Array,
            (o * picks.length + p) * inner,
          )
        }
      }
      return [out]
    },
    flops: () => 0,
  },
  ScatterND: {
    spec: 'ONNX ScatterND-18, reduction add, index depth 1',
    arity: [3, 3],
    infer: (inputs) => {
      const [x, indices, updates] = inputs as [ValueInfo, ValueInfo, ValueInfo]
      expectDType(x, 0, 'float32', 'int32')
      expectDType(indices, 1, 'int32')
      expect(
        indices.shape.at(-1) === 1,
        `indices must end in a dimension of 1, not ${formatShape(indices.shape)}`,
      )
      const want = [...indices.shape.slice(0, -1), ...x.shape.slice(1)]
      expect(
        updates.dtype === x.dtype && sameShape(updates.shape, want),
        `updates must be ${x.dtype}${formatShape(want)}, not ${updates.dtype}${formatShape(updates.shape)}`,
      )
      return [x]
    },
    grad: ({ inputs, grads, wants }) => {
      const indices = inputs[1] as Value
      const g = grads[0] as Value
      return [g, undefined, wants[2] ? gather(g, reshape(indices, indices.shape.slice(0, -1)), 0) : undefined]
    },
    eval: ([x, indices, updates], _attrs, _infos, scope) => {
      const out = scope.make((x as NdArray).dtype, (x as NdArray).shape)
      out.data.set((x as NdArray).data)
      const { length, inner } = around(out.shape, 0)
      ;(indices as NdArray).data.forEach((index: number, p: number) => {
        const row = checkedIndex(index, length) * inner
        for (let i = 0; i < inner; i++)
          (out.data[row + i] as number) += (updates as NdArray).data[p * inner + i] as number
      })
      return [out]
    },
    flops: ([, , updates]) => count(updates),
  },
  GatherElements: {
    spec: 'ONNX GatherElements-13, int32 indices',
    arity: [2, 2],
    infer: ([x, indices], { axis }) => {
      expectDType(indices, 1, 'int32')
      expectSameAround(x as ValueInfo, indices as ValueInfo, axis)
      return [{ dtype: (x as ValueInfo).dtype, shape: (indices as ValueInfo).shape }]
    },
    grad: ({ inputs, attrs, grads }) => [
      scatterElementsAdd(zerosLike(inputs[0] as Value), inputs[1] as Value, grads[0] as Value, attrs.axis),
      undefined,
    ],
    eval: ([x, indices], { axis }, [info], scope) => {
      const out = scope.make((x as NdArray).dtype, (info as { shape: readonly number[] }).shape)
      eachElement(indices as NdArray, (x as NdArray).shape, axis, (i, at) => {
        out.data[i] = (x as NdArray).data[at] as number
      })
      return [out]
    },
    flops: () => 0,
  },
  ScatterElements: {
    spec: 'ONNX ScatterElements-18, reduction add',
    arity: [3, 3],
    infer: (inputs, { axis }) => {
      const [x, indices, updates] = inputs as [ValueInfo, ValueInfo, ValueInfo]
      expectDType(x, 0, 'float32', 'int32')
      expectDType(indices, 1, 'int32')
      expectSameAround(x, indices, axis)
      expect(
        updates.dtype === x.dtype && sameShape(updates.shape, indices.shape),
        `updates must be ${x.dtype}${formatShape(indices.shape)}`,
      )
      return [x]
    },
    grad: ({ inputs, attrs, grads, wants }) => [
      grads[0] as Value,
      undefined,
      wants[2] ? gatherElements(grads[0] as Value, inputs[1] as Value, attrs.axis) : undefined,
    ],
    eval: ([x, indices, updates], { axis }, _infos, scope) => {
      const out = scope.make((x as NdArray).dtype, (x as NdArray).shape)
      out.data.set((x as NdArray).data)
      eachElement(indices as NdArray, out.shape, axis, (i, at) => {
        ;(out.data[at] as number) += (updates as NdArray).data[i] as number
      })
      return [out]
    },
    flops: ([, , updates]) => count(updates),
  },
  TopK: {
    spec: 'ONNX TopK-11, largest, sorted; equal elements in rising index order; int32 indices',
    arity: [1, 1],
    infer: ([x], { k, axis }) => {
      expectDType(x, 0, 'float32', 'int32')
      const { dtype, shape } = x as ValueInfo
      const dim = shape[axis]
      expect(
        Number.isInteger(k) && k >= 0 && (typeof dim !== 'number' || k <= dim),
        `k = ${k} is outside 0..${dim}`,
      )
      const out = shape.map((d, i) => (i === axis ? k : d))
      return [
        { dtype, shape: out },
        { dtype: 'int32', shape: out },
      ]
    },
    grad: ({ inputs, outputs, attrs, grads }) => [
      grads[0]
        ? scatterElementsAdd(zerosLike(inputs[0] as Value), outputs[1] as Value, grads[0], attrs.axis)
        : undefined,
    ],
    eval: ([x], { k, axis }, infos, scope) => {
      const from = x as NdArray
      const [values, indices] = infos.map((info) => scope.make(info.dtype, info.shape)) as [NdArray, NdArray]
      const { outer, length, inner } = around(from.shape, axis)
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          const at = (step: number) => from.data[(o * length + step) * inner + i] as number
          const order = Array.from({ length }, (_, step) => step).sort((a, b) => at(b) - at(a) || a - b)
          for (let j = 0; j < k; j++) {
            const to = (o * k + j) * inner + i
            values.data[to] = at(order[j] as number)
            indices.data[to] = order[j] as number
          }
        }
      }
      return [values, indices]
    },
    flops: ([x], _outputs, { k }) => count(x) * Math.max(1, Math.ceil(Math.log2(k + 1))),
  },
}

function expectSameAround(x: ValueInfo, indices: ValueInfo, axis: number): void {
  expect(
    typeof x.shape[axis] === 'number' &&
      indices.shape.length === x.shape.length &&
      indices.shape.every((d, i) => i === axis || d === x.shape[i]),
    `indices ${formatShape(indices.shape)} must match ${formatShape(x.shape)} off axis ${axis}`,
  )
}

/** Visits every index with the flat offset it points at in an array of shape `target`. */
function eachElement(
  indices: NdArray,
  target: readonly number[],
  axis: number,
  visit: (i: number, at: number) => void,
): void {
  const { length: picks, inner } = around(indices.shape, axis)
  const length = target[axis] as number
  for (let i = 0; i < indices.data.length; i++) {
    const outer = Math.floor(i / (picks * inner))
    visit(i, (outer * length + checkedIndex(indices.data[i] as number, length)) * inner + (i % inner))
  }
}
