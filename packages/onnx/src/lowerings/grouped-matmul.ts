/** GroupedMatMul: Split with sizes that are computed, a product per group. */
import type { Dim, Shape, ValueInfo } from '@fep-moe/core'
import type { Columns, GroupedRows } from '../emit/deferred.js'
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

/** Rows in groups; those that lie in these groups already are taken as they are. */
function rowsOf(
  w: GraphWriter,
  x: string,
  sizes: string,
  groups: number,
): Pick<GroupedRows, 'cuts' | 'part'> {
  const known = w.partsOf(x)
  if (known?.kind === 'rows' && known.sizes === sizes) return known
  if (known?.kind === 'picked' && w.isUnwritten(x)) {
    const indices = rowsOf(w, known.indices, sizes, groups)
    return whole((e) =>
      w.once(`picked(${x},${sizes},${e})`, () => w.op('Gather', [known.from, indices.part(e)], { axis: 0 })),
    )
  }
  const parts = splitRows(w, x, sizes, groups)
  return whole((e) => parts[e + 1] as string)
}

/** Rows whose columns cannot be cut. */
const whole = (part: (e: number) => string) => ({ cuts: false, part })

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

/** Registers rows in groups under a name, which is also what the nodes of their parts are named after. */
export function deferRows(w: GraphWriter, name: string, value: GroupedRows): string {
  const { at } = w
  const once = (label: string, make: () => string) => w.once(`${label} of ${name}`, () => w.within(at, make))
  const rows: GroupedRows = {
    ...value,
    part: (e, columns) => once(`part(${e},${columns})`, () => value.part(e, columns)),
    rest: (which) => once(which, () => value.rest(which)),
  }
  return w.defer(name, {
    value: rows,
    write: () => {
      const parts = Array.from({ length: rows.groups }, (_, e) => rows.part(e))
      w.within(at, () =>
        w.op('Concat', [rows.rest('before'), ...parts, rows.rest('after')], { axis: 0 }, name),
      )
    },
  })
}

/** From so many rows a group on, on average, is a product's inner dimension cut: with few, the time goes into reading matrices. */
const CUT_ROWS = 256

/**
 * Where a product's inner dimension is cut in two. With rows 4096 bytes apart, those that a kernel reads together lie in one set
 * of the first cache and drive each other out: a product of (512, 1024) rows took a third longer than of 1040 columns.
 */
function cutInner([rows, inner]: readonly Dim[], groups: number): readonly [Columns, Columns] | undefined {
  if (typeof inner !== 'number' || inner % 1024 !== 0) return undefined
  if (typeof rows !== 'number' || rows < CUT_ROWS * groups) return undefined
  const middle = inner / 2 + 16
  return [
    [0, middle],
    [middle, inner],
  ]
}

/** Rows of each group times its matrix. */
function products(
  w: GraphWriter,
  xs: Pick<GroupedRows, 'cuts' | 'part'>,
  weights: string,
  { inputInfos }: Call<'GroupedMatMul'>,
): Pick<GroupedRows, 'cuts' | 'part'> {
  const [rowsShape, shape] = inputInfos.map((info) => info.shape) as [Shape, Shape]
  const groups = shape[0] as number
  const stack = w.partsOf(weights)
  if (stack?.kind !== 'stack') {
    const written = w.written(weights)
    const matrices =
      groups === 1
        ? [written]
        : w.ops(
            'Split',
            [written],
            { axis: 0, num_outputs: groups },
            Array.from({ length: groups }, (_, e) => w.helper(`weight_${e}`)),
          )
    return whole((e) => w.op('MatMul', [xs.part(e), reshapeTo(w, matrices[e] as string, shape.slice(1))]))
  }
  const { cut, transposed } = stack
  // A product takes a transposed matrix as it is; elsewhere it would be turned in memory first.
  const product = (rows: string, matrix: string, begun: readonly string[] = []) =>
    transposed || begun.length > 0
      ? w.op('Gemm', [rows, matrix, ...begun], transposed ? { transB: 1 } : {})
      : w.op('MatMul', [rows, matrix])
  if (!cut) return whole((e) => product(xs.part(e), stack.matrix(e)))
  const halves = xs.cuts ? cutInner(rowsShape, groups) : undefined
  return {
    cuts: true,
    part: (e, columns) => {
      if (!halves) return product(xs.part(e), columns ? cut(e, undefined, columns) : stack.matrix(e))
      const [first, second] = halves
      const begun = product(xs.part(e, first), cut(e, first, columns))
      return product(xs.part(e, second), cut(e, second, columns), [begun])
    },
  }
}

export function groupedMatMul(call: Call<'GroupedMatMul'>, w: GraphWriter): readonly string[] {
  const { inputs, inputInfos, outputs, outputInfos, attrs } = call
  const [x, other, given] = inputs as [string, string, string]
  const [xInfo, , offsetInfo] = inputInfos as [ValueInfo, ValueInfo, ValueInfo]
  const out = outputInfos[0] as ValueInfo
  const offsets = w.written(given)
  const groups = (offsetInfo.shape[0] as number) - 1
  if (groups === 0) return [expandTo(w, w.scalar(0), out.shape, outputs[0])]
  const sizes = partSizes(w, offsets, groups, xInfo.shape[0] as Dim)
  const xs = rowsOf(w, x, sizes, groups)
  if (attrs.mode === 'weight') {
    const gs = rowsOf(w, other, sizes, groups)
    const each = Array.from({ length: groups }, (_, e) =>
      w.op('MatMul', [w.op('Transpose', [xs.part(e)], { perm: [1, 0] }), gs.part(e)]),
    )
    return [reshapeTo(w, w.op('Concat', each, { axis: 0 }), out.shape, outputs[0])]
  }
  const { cuts, part } = products(w, xs, other, call)
  return [
    deferRows(w, outputs[0] as string, {
      kind: 'rows',
      sizes,
      groups,
      cuts,
      part,
      rest: (which) => zeroRows(w, sizes, which === 'before' ? 0 : groups + 1, out.shape[1] as Dim),
    }),
  ]
}
