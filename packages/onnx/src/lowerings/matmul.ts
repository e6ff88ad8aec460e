/** Matrix products: plain, affine, and grouped by data-dependent row ranges. */
import type { Dim, ValueInfo } from '@fep-moe/core'
import type { Call, LoweringTable } from '../emit/lowering.js'
import { DATA_TYPE } from '../emit/protobuf.js'
import type { GraphWriter } from '../emit/writer.js'
import { expandTo, reshapeTo } from './layout.js'

/** Row counts of the parts that `offsets` cuts R rows into: before the first group, every group, after the last. */
function partSizes(w: GraphWriter, offsets: string, groups: number, rows: Dim): string {
  return w.once(`parts(${offsets},${rows})`, () => {
    const wide = w.op('Cast', [offsets], { to: DATA_TYPE.int64 })
    const bounds = w.op('Concat', [w.constant('int64', [0]), wide, w.shape([rows])], { axis: 0 })
    const cut = (from: number) =>
      w.op('Slice', [bounds, w.constant('int64', [from]), w.constant('int64', [from + groups + 2])])
    return w.op('Sub', [cut(1), cut(0)])
  })
}

/** Splits rows into [before, group 0, …, after]. */
function splitRows(w: GraphWriter, x: string, sizes: string, groups: number): readonly string[] {
  return w
    .once(`rows(${x},${sizes})`, () => {
      const parts = Array.from({ length: groups + 2 }, (_, i) =>
        w.helper(i === 0 ? 'before' : i > groups ? 'after' : `rows_${i - 1}`),
      )
      return w.ops('Split', [x, sizes], { axis: 0 }, parts).join('\n')
    })
    .split('\n')
}

/** Zeros of shape (1, n, h), where n is an entry of `sizes`. */
function zeroRows(w: GraphWriter, sizes: string, at: number, h: Dim): string {
  const n = w.op('Slice', [sizes, w.constant('int64', [at]), w.constant('int64', [at + 1])])
  const shape = w.op('Concat', [w.constant('int64', [1]), n, w.shape([h])], { axis: 0 })
  return w.op('Expand', [w.scalar(0), shape])
}

function grouped(
  { inputs, inputInfos, outputs, outputInfos, attrs }: Call<'GroupedMatMul'>,
  w: GraphWriter,
): readonly string[] {
  const [x, other, offsets] = inputs as [string, string, string]
  const [xInfo, , offsetInfo] = inputInfos as [ValueInfo, ValueInfo, ValueInfo]
  const out = outputInfos[0] as ValueInfo
  const groups = (offsetInfo.shape[0] as number) - 1
  if (groups === 0) return [expandTo(w, w.scalar(0), out.shape, outputs[0])]
  const sizes = partSizes(w, offsets, groups, xInfo.shape[0] as Dim)
  const xs = splitRows(w, x, sizes, groups).slice(1, -1)
  if (attrs.mode === 'weight') {
    const gs = splitRows(w, other, sizes, groups).slice(1, -1)
    const products = xs.map((rows, e) =>
      w.op('MatMul', [w.op('Transpose', [rows], { perm: [1, 0] }), gs[e] as string]),
    )
    return [reshapeTo(w, w.op('Concat', products, { axis: 0 }), out.shape, outputs[0])]
  }
  // Each expert's matrix keeps a leading 1, so that products join without another copy.
  const weights =
    groups === 1
      ? [other]
      : w.ops(
          'Split',
          [other],
          { axis: 0, num_outputs: groups },
          xs.map((_, e) => w.helper(`weight_${e}`)),
        )
  const products = xs.map((rows, e) => w.op('MatMul', [rows, weights[e] as string]))
  const h = out.shape[1] as Dim
  const all = w.op('Concat', [zeroRows(w, sizes, 0, h), ...products, zeroRows(w, sizes, groups + 1, h)], {
    axis: 1,
  })
  return [reshapeTo(w, all, out.shape, outputs[0])]
}

/** x Wᵀ + b as one Gemm on rows: the bias costs no pass of its own. */
function linear(
  { inputs, inputInfos, outputs, outputInfos }: Call<'Linear'>,
  w: GraphWriter,
): readonly string[] {
  const [x, ...rest] = inputs as [string, ...string[]]
  const { shape } = inputInfos[0] as ValueInfo
  const out = outputInfos[0] as ValueInfo
  if (shape.length === 2) return [w.op('Gemm', [x, ...rest], { transB: 1 }, outputs[0])]
  const rows = w.op('Reshape', [x, w.constant('int64', [-1, shape.at(-1) as number])])
  return [reshapeTo(w, w.op('Gemm', [rows, ...rest], { transB: 1 }), out.shape, outputs[0])]
}

export const products = {
  MatMul: ({ inputs, inputInfos, outputs, outputInfos }, w) => {
    const { shape } = outputInfos[0] as ValueInfo
    // ONNX Runtime 1.30 does not broadcast leading axes against 0, and trips where it fuses products of nothing.
    if (shape.includes(0) || inputInfos[0]?.shape.at(-1) === 0)
      return [expandTo(w, w.scalar(0), shape, outputs[0])]
    return [w.op('MatMul', inputs, {}, outputs[0])]
  },
  GroupedMatMul: grouped,
  Linear: (call, w) => {
    const { shape } = call.inputInfos[0] as ValueInfo
    // An empty or symbolic inner dimension leaves the number of rows open; such cases follow the definition.
    return shape.every((d, i) => d !== 0 && (i < shape.length - 1 || typeof d === 'number'))
      ? linear(call, w)
      : call.expand(w)
  },
} satisfies Partial<LoweringTable>
