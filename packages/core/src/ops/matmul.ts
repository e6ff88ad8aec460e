/** Matrix products: batched, and grouped by data-dependent row ranges. */
import type { Value } from '../graph/builder.js'
import {
  groupedMatMul,
  groupedMatMulWeight,
  matmul,
  permute,
  reshape,
  swapLast,
} from '../graph/expressions.js'
import { broadcastShapes, countOf, formatShape, mergeDims } from '../graph/shape.js'
import type { Dim, ValueInfo } from '../graph/types.js'
import { broadcastStrides, walk } from './arrays.js'
import type { NdArray, PrimitiveTable } from './definition.js'
import { count, expect, expectDType, unbroadcast } from './rules.js'

/** c += a (m,k) times b (k,n) at the given offsets; one pass over rows of b, in doubles. */
function product(
  a: NdArray,
  b: NdArray,
  c: NdArray,
  at: readonly number[],
  m: number,
  k: number,
  n: number,
  row: Float64Array,
): void {
  const [oa, ob, oc] = at as [number, number, number]
  for (let i = 0; i < m; i++) {
    row.fill(0)
    for (let p = 0; p < k; p++) {
      const x = a.data[oa + i * k + p] as number
      const from = ob + p * n
      for (let j = 0; j < n; j++) (row[j] as number) += x * (b.data[from + j] as number)
    }
    c.data.set(row, oc + i * n)
  }
}

const lastTwo = (shape: readonly Dim[]): [Dim, Dim] => shape.slice(-2) as [Dim, Dim]

export const products: Pick<PrimitiveTable, 'MatMul' | 'GroupedMatMul'> = {
  MatMul: {
    spec: 'ONNX MatMul-13 with operands of rank 2 or more',
    arity: [2, 2],
    infer: (inputs) => {
      const [a, b] = inputs as [ValueInfo, ValueInfo]
      inputs.forEach((info, i) => expectDType(info, i, 'float32'))
      expect(a.shape.length >= 2 && b.shape.length >= 2, 'operands need rank 2 or more')
      const [m, k] = lastTwo(a.shape)
      const [k2, n] = lastTwo(b.shape)
      expect(k === k2, `inner dimensions differ: ${k} and ${k2}`)
      return [
        { dtype: 'float32', shape: [...broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n] },
      ]
    },
    grad: ({ inputs, grads, wants }) => {
      const [a, b] = inputs as [Value, Value]
      const g = grads[0] as Value
      return [
        wants[0] ? unbroadcast(gradLeft(g, a, b), a) : undefined,
        wants[1] ? unbroadcast(gradRight(g, a, b), b) : undefined,
      ]
    },
    eval: ([a, b], _attrs, [info], scope) => {
      const out = scope.make('float32', (info as { shape: readonly number[] }).shape)
      const [m, k] = lastTwo((a as NdArray).shape) as [number, number]
      const n = out.shape[out.shape.length - 1] as number
      const lead = out.shape.slice(0, -2)
      const row = new Float64Array(n)
      const strides = [a, b].map((x, i) =>
        broadcastStrides((x as NdArray).shape.slice(0, -2), lead).map((s) => s * (i === 0 ? m * k : k * n)),
      )
      walk(lead, strides, (i, at) =>
        product(a as NdArray, b as NdArray, out, [at[0] as number, at[1] as number, i * m * n], m, k, n, row),
      )
      return [out]
    },
    flops: ([a], [out]) => 2 * count(out) * ((a as ValueInfo).shape.at(-1) as number),
  },
  GroupedMatMul: {
    spec: 'forward: rows offsets[e]..offsets[e+1] of x (R,d) times w[e] (d,h), other rows zero; weight: xᵀ g per group, (E,d,h)',
    arity: [3, 3],
    infer: (inputs, { mode }) => {
      const [x, w, offsets] = inputs as [ValueInfo, ValueInfo, ValueInfo]
      expectDType(x, 0, 'float32')
      expectDType(w, 1, 'float32')
      expectDType(offsets, 2, 'int32')
      expect(x.shape.length === 2 && offsets.shape.length === 1, 'x must be (R,d) and offsets (E+1)')
      const groups = (offsets.shape[0] as number) - 1
      expect(typeof offsets.shape[0] === 'number' && groups >= 0, 'offsets must hold E+1 numbers')
      const [rows, d] = x.shape as [Dim, Dim]
      if (mode === 'weight') {
        expect(
          w.shape.length === 2 && w.shape[0] === rows,
          `g must be (R,h) with R = ${rows}, not ${formatShape(w.shape)}`,
        )
        return [{ dtype: 'float32', shape: [groups, d, w.shape[1] as Dim] }]
      }
      expect(
        w.shape.length === 3 && w.shape[0] === groups && w.shape[1] === d,
        `w must be (${groups}, ${d}, h), not ${formatShape(w.shape)}`,
      )
      return [{ dtype: 'float32', shape: [rows, w.shape[2] as Dim] }]
    },
    grad: ({ inputs, attrs, grads, wants }) => {
      const [x, w, offsets] = inputs as [Value, Value, Value]
      const g = grads[0] as Value
      if (attrs.mode === 'forward')
        return [
          wants[0] ? groupedMatMul(g, swapLast(w), offsets) : undefined,
          wants[1] ? groupedMatMulWeight(x, g, offsets) : undefined,
          undefined,
        ]
      return [
        wants[0] ? groupedMatMul(w, swapLast(g), offsets) : undefined,
        wants[1] ? groupedMatMul(x, g, offsets) : undefined,
        undefined,
      ]
    },
    eval: ([x, w, offsets], { mode }, [info], scope) => {
      const out = scope.make('float32', (info as { shape: readonly number[] }).shape)
      const [rows, d] = (x as NdArray).shape as [number, number]
      const h = out.shape.at(-1) as number
      const bounds = (offsets as NdArray).data
      for (let e = 0; e + 1 < bounds.length; e++) {
        const [from, to] = [bounds[e] as number, bounds[e + 1] as number]
        if (from < 0 || to < from || to > rows)
          throw new RangeError(`offsets must rise within 0..${rows}; group ${e} is ${from}..${to}`)
        if (mode === 'forward') {
          product(
            x as NdArray,
            w as NdArray,
            out,
            [from * d, e * d * h, from * h],
            to - from,
            d,
            h,
            new Float64Array(h),
          )
          continue
        }
        const total = new Float64Array(d * h)
        for (let r = from; r < to; r++) {
          for (let i = 0; i < d; i++) {
            for (let j = 0; j < h; j++)
              (total[i * h + j] as number) +=
                ((x as NdArray).data[r * d + i] as number) * ((w as NdArray).data[r * h + j] as number)
          }
        }
        out.data.set(total, e * d * h)
      }
      return [out]
    },
    flops: ([x, w]) => 2 * countOf((x as ValueInfo).shape) * ((w as ValueInfo).shape.at(-1) as number),
  },
}

/** g bᵀ, summed over the axes along which `a` was repeated. A shared left matrix folds those axes into one long product. */
function gradLeft(g: Value, a: Value, b: Value): Value {
  if (a.shape.length === 2 && b.shape.length > 2) {
    const [front, back] = [foldLead(g), foldLead(b)]
    return matmul(front, swapLast(back))
  }
  return matmul(g, swapLast(b))
}

/** aᵀ g; a shared right matrix folds the leading axes of `a` into its rows. */
function gradRight(g: Value, a: Value, b: Value): Value {
  if (b.shape.length === 2 && a.shape.length > 2) {
    const flat = (x: Value) => reshape(x, [mergeDims(x.shape.slice(0, -1)), x.shape.at(-1) as Dim])
    return matmul(swapLast(flat(a)), flat(g))
  }
  return matmul(swapLast(a), g)
}

/** (…, r, n) → (r, …·n): the leading axes move beside the columns. */
function foldLead(x: Value): Value {
  const rank = x.shape.length
  const moved = permute(x, [rank - 2, ...x.shape.slice(0, -2).map((_, i) => i), rank - 1])
  return reshape(moved, [x.shape[rank - 2] as Dim, mergeDims(moved.shape.slice(1))])
}
