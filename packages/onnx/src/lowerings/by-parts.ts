/** Elementwise operators on rows that lie in groups: part by part, where the whole would not fit into a cache. */
import { countOf, type OpName, type ValueInfo } from '@fep-moe/core'
import type { GroupedRows } from '../emit/deferred.js'
import type { Call, Lowering } from '../emit/lowering.js'
import type { GraphWriter } from '../emit/writer.js'
import { deferRows, splitRows } from './grouped-matmul.js'

/** From this many elements on: 4 MB. Below, a node for every group costs more than the copies. */
const LEAST = 2 ** 20

const ELEMENTWISE: ReadonlySet<OpName> = new Set<OpName>([
  'Neg',
  'Exp',
  'Log',
  'Sqrt',
  'Tanh',
  'Sigmoid',
  'Erf',
  'Sin',
  'Cos',
  'Relu',
  'Gelu',
  'Softplus',
  'Clip',
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Max',
  'Min',
  'Greater',
  'GreaterOrEqual',
  'Cast',
])

/** Operators that ask for parts, and write what they read whole themselves. */
export const readsParts = (op: OpName): boolean => op === 'GroupedMatMul' || op === 'Transpose'

const isScalar = ({ shape }: ValueInfo) => shape.every((d) => d === 1)

/** Lowers an elementwise operator by groups; undefined where it is none, or not on groups. */
export function lowerByParts(
  call: Call<OpName>,
  lower: Lowering<OpName>,
  w: GraphWriter,
): readonly string[] | undefined {
  if (!ELEMENTWISE.has(call.node.op)) return undefined
  const { shape } = call.outputInfos[0] as ValueInfo
  if (shape.some((d) => typeof d !== 'number') || countOf(shape as readonly number[]) < LEAST)
    return undefined
  const rows = call.inputs.map((name) => w.partsOf(name))
  const first = rows.find((r): r is GroupedRows => r?.kind === 'rows')
  /** One number per row. */
  const isColumn = ({ shape: s }: ValueInfo) => s.length === 2 && s[0] === shape[0] && s[1] === 1
  const fits = rows.every((r, i) => {
    if (r?.kind === 'rows') return r.sizes === first?.sizes
    const info = call.inputInfos[i] as ValueInfo
    return r === undefined && (isScalar(info) || isColumn(info))
  })
  if (!first || !fits) return undefined
  const name = call.outputs[0] as string
  const on = (pick: (rows: GroupedRows) => string, cut: (columns: readonly string[]) => string): string => {
    const inputs = call.inputs.map((input, i) => {
      const r = rows[i]
      if (r?.kind === 'rows') return pick(r)
      return isColumn(call.inputInfos[i] as ValueInfo)
        ? cut(splitRows(w, input, first.sizes, first.parts.length))
        : w.written(input)
    })
    return lower({ ...call, inputs, outputs: [w.helper(call.node.op)] }, w)[0] as string
  }
  return [
    deferRows(w, name, {
      kind: 'rows',
      sizes: first.sizes,
      parts: first.parts.map((_, e) =>
        on(
          (r) => r.parts[e] as string,
          (columns) => columns[e + 1] as string,
        ),
      ),
      rest: (which) =>
        w.once(`${which}(${name})`, () =>
          on(
            (r) => r.rest(which),
            (columns) => columns.at(which === 'before' ? 0 : -1) as string,
          ),
        ),
    }),
  ]
}
