/** GroupedMatMul: Split with sizes that are computed, a product per group. */
import type { Dim, ValueInfo } from '@fep-moe/core'
import type { GroupedRows } from '../emit/deferred.js'
import type { Call } from '../emit/lowering.js'
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

/** The rows of every group; those that lie in these groups already are taken as they are. */
function rowsOf(w: GraphWriter, x: string, sizes: string, groups: number): readonly string[] {
  const known = w.partsOf(x)
  if (known?.kind === 'rows' && known.sizes === sizes) return known.parts
  if (known?.kind === 'picked' && w.isUnwritten(x))
    return rowsOf(w, known.indices, sizes, groups).map((indices, e) =>
      w.once(`picked(${x},${sizes},${e})`, () => w.op('Gather', [known.from, indices], { axis: 0 })),
    )
  return splitRows(w, x, sizes, groups).slice(1, -1)
}

/** Rows before the first group, of every group, after the last. */
export function splitRows(w: GraphWriter, x: string, sizes: string, groups: number): readonly string[] {
  return w
    .once(`rows(${x},${sizes})`, () => {
      const parts = Array.from({ length: groups + 2 }, (_, i) =>
        w.helper(i === 0 ? 'before' : i > groups ? 'after' : `rows_${i - 1}`),
      )
      return w.ops('Split', [w.written(x), sizes], { axis: 0 }, parts).join('\n')
    })
    .split('\n')
}

/** Zeros of shape (n, h), where n is an entry of `sizes`. */
function zeroRows(w: GraphWriter, sizes: string, at: number, h: Dim): string {
  const n = w.op('Slice', [sizes, w.constant('int64', [at]), w.constant('int64', [at + 1])])
  return w.op('Expand', [w.scalar(0), w.op('Concat', [n, w.shape([h])], { axis: 0 })])
}

/** Registers rows in groups under a name. */
export function deferRows(w: GraphWriter, name: string, value: GroupedRows): string {
  return w.defer(name, {
    value,
    write: () =>
      w.op('Concat', [value.rest('before'), ...value.parts, value.rest('after')], { axis: 0 }, name),
  })
}

/** Rows of each group times its matrix. */
function products(
  w: GraphWriter,
  xs: readonly string[],
  weights: string,
  shape: readonly Dim[],
): readonly string[] {
  const stack = w.partsOf(weights)
  // A product takes a transposed matrix as it is; elsewhere it would be turned in memory first.
  if (stack?.kind === 'stack')
    return xs.map((rows, e) =>
      stack.transposed
        ? w.op('Gemm', [rows, stack.matrix(e)], { transB: 1 })
        : w.op('MatMul', [rows, stack.matrix(e)]),
    )
  const whole = w.written(weights)
  const matrices =
    xs.length === 1
      ? [whole]
      : w.ops(
          'Split',
          [whole],
          { axis: 0, num_outputs: xs.length },
          xs.map((_, e) => w.helper(`weight_${e}`)),
        )
  return xs.map((rows, e) => w.op('MatMul', [rows, reshapeTo(w, matrices[e] as string, shape.slice(1))]))
}

export function groupedMatMul(
  { inputs, inputInfos, outputs, outputInfos, attrs }: Call<'GroupedMatMul'>,
  w: GraphWriter,
): readonly string[] {
  const [x, other, given] = inputs as [string, string, string]
  const [xInfo, otherInfo, offsetInfo] = inputInfos as [ValueInfo, ValueInfo, ValueInfo]
  const out = outputInfos[0] as ValueInfo
  const offsets = w.written(given)
  const groups = (offsetInfo.shape[0] as number) - 1
  if (groups === 0) return [expandTo(w, w.scalar(0), out.shape, outputs[0])]
  const sizes = partSizes(w, offsets, groups, xInfo.shape[0] as Dim)
  const xs = rowsOf(w, x, sizes, groups)
  if (attrs.mode === 'weight') {
    const gs = rowsOf(w, other, sizes, groups)
    const each = xs.map((rows, e) =>
      w.op('MatMul', [w.op('Transpose', [rows], { perm: [1, 0] }), gs[e] as string]),
    )
    return [reshapeTo(w, w.op('Concat', each, { axis: 0 }), out.shape, outputs[0])]
  }
  const name = outputs[0] as string
  return [
    deferRows(w, name, {
      kind: 'rows',
      sizes,
      parts: products(w, xs, other, otherInfo.shape),
      rest: (which) =>
        w.once(`${which}(${name})`, () =>
          zeroRows(w, sizes, which === 'before' ? 0 : groups + 1, out.shape[1] as Dim),
        ),
    }),
  ]
}
