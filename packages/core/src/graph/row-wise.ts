/**
 * The row-wise promise of a Scan: row r of every result depends on row r of states and slices only. Checked by following
 * the row axis through the body, so that a backend may run one workgroup per row.
 */
import { FepError } from '../errors.js'
import type { PrimitiveName } from '../ops/attrs.js'
import { expandComposites } from '../passes/expand-composites.js'
import { sizeOf } from './shape.js'
import type { Graph, Node, NodeOf, ValueInfo } from './types.js'

/** The axis that holds rows; `none`: the value does not depend on rows. */
export type RowAxis = number | 'none'

/** Operands' row axes and infos in, the result's row axis out; `undefined`: rows mix. */
type RowRule = (
  axes: readonly RowAxis[],
  operands: readonly ValueInfo[],
  node: Node,
  result: ValueInfo,
) => RowAxis | undefined

const rank = (info: ValueInfo | undefined) => (info as ValueInfo).shape.length

/** Operands broadcast from the right: all row axes must land on one axis of the result. */
const aligned: RowRule = (axes, operands, _node, result) => {
  const landed = new Set(axes.flatMap((a, i) => (a === 'none' ? [] : [a + rank(result) - rank(operands[i])])))
  return landed.size > 1 ? undefined : ([...landed][0] ?? 'none')
}
const kept: RowRule = (axes) => axes[0]
/** The operator works along `axis`: rows must lie elsewhere. */
const offAxis: RowRule = (axes, _operands, node) =>
  axes.some((a) => a === (node as NodeOf<'CumSum'>).attrs.axis) ? undefined : sameForAll(axes)
const sameForAll = (axes: readonly RowAxis[]): RowAxis | undefined => {
  const found = new Set(axes.filter((a) => a !== 'none'))
  return found.size > 1 ? undefined : ([...found][0] ?? 'none')
}
const never: RowRule = (axes) => (axes.every((a) => a === 'none') ? 'none' : undefined)
const reduced: RowRule = (axes, _operands, node) => {
  const { axes: over, keepdims } = (node as NodeOf<'ReduceSum'>).attrs
  const a = axes[0] as RowAxis
  if (a === 'none') return a
  return over.includes(a) ? undefined : keepdims ? a : a - over.filter((o) => o < a).length
}

const RULES: Readonly<Record<PrimitiveName, RowRule>> = {
  Constant: () => 'none',
  Neg: kept,
  Exp: kept,
  Log: kept,
  Sqrt: kept,
  Tanh: kept,
  Sigmoid: kept,
  Erf: kept,
  Sin: kept,
  Cos: kept,
  Not: kept,
  Cast: kept,
  StopGradient: kept,
  Add: aligned,
  Sub: aligned,
  Mul: aligned,
  Div: aligned,
  Max: aligned,
  Min: aligned,
  Greater: aligned,
  GreaterOrEqual: aligned,
  Equal: aligned,
  And: aligned,
  Where: aligned,
  Reshape: ([a], [x], _node, result) => {
    if (a === 'none' || a === undefined) return 'none'
    const info = x as ValueInfo
    const before = sizeOf(info.shape.slice(0, a))
    const at = result.shape.findIndex(
      (dim, i) => dim === info.shape[a] && sizeOf(result.shape.slice(0, i)).factor === before.factor,
    )
    return at < 0 ? undefined : at
  },
  Transpose: ([a], _x, node) =>
    a === 'none' ? a : (node as NodeOf<'Transpose'>).attrs.perm.indexOf(a as number),
  Expand: aligned,
  Slice: ([a], _x, node) =>
    a !== 'none' && (node as NodeOf<'Slice'>).attrs.axes.includes(a as number) ? undefined : a,
  Concat: offAxis,
  Pad: ([a], [x], node) => {
    const { pads } = (node as NodeOf<'Pad'>).attrs
    return a !== 'none' && ((pads[a as number] ?? 0) !== 0 || (pads[(a as number) + rank(x)] ?? 0) !== 0)
      ? undefined
      : a
  },
  ReduceSum: reduced,
  ReduceMax: reduced,
  CumSum: offAxis,
  MatMul: (axes, operands, _node, result) => {
    // Rows may be a leading axis of both, a row of the left or a column of the right, never the inner dimension.
    const [a, b] = axes as [RowAxis, RowAxis]
    if (a === rank(operands[0]) - 1 || b === rank(operands[1]) - 2) return undefined
    return aligned(axes, operands, _node, result)
  },
  Gather: ([a, i], [, indices], node) => {
    const { axis } = (node as NodeOf<'Gather'>).attrs
    if (a !== 'none' && i !== 'none') return undefined
    if (i !== 'none') return (i as number) + axis
    return a === 'none'
      ? a
      : a === axis
        ? undefined
        : (a as number) < axis
          ? a
          : (a as number) - 1 + rank(indices)
  },
  ScatterND: never,
  GatherElements: offAxis,
  ScatterElements: offAxis,
  TopK: offAxis,
  Size: never,
  LinearScan: offAxis,
  Scan: never,
  GroupedMatMul: never,
}

/**
 * The body of a Scan that names a batch axis, composites expanded, and the axis that holds rows for each of its values.
 * @throws FEP_BAD_GRAPH where rows mix
 */
export function rowAxesOf({ attrs }: NodeOf<'Scan'>): {
  readonly body: Graph
  readonly axes: ReadonlyMap<string, RowAxis>
} {
  const { batchAxis, states, xs } = attrs
  const body: Graph = expandComposites(attrs.body)
  const axes = new Map<string, RowAxis>(
    body.inputs.map((name, i) => [name, i < states + xs ? (batchAxis as number) : 'none']),
  )
  for (const inner of body.nodes) {
    const operands = inner.inputs.map((name) => body.values[name] as ValueInfo)
    for (const output of inner.outputs) {
      const found = RULES[inner.op as PrimitiveName](
        inner.inputs.map((name) => axes.get(name) as RowAxis),
        operands,
        inner,
        body.values[output] as ValueInfo,
      )
      if (found === undefined)
        throw new FepError(
          'FEP_BAD_GRAPH',
          `Scan body '${body.name}' mixes rows of axis ${batchAxis} in ${inner.op} → ${output}; drop batchAxis or keep the body row-wise`,
        )
      axes.set(output, found)
    }
  }
  return { body, axes }
}

/** @throws FEP_BAD_GRAPH where a Scan names a batch axis and its body mixes rows */
export function checkRowWise(node: NodeOf<'Scan'>): void {
  const { batchAxis, axis } = node.attrs
  if (batchAxis === null) return
  const { body, axes } = rowAxesOf(node)
  body.outputs.forEach(({ name, value }) => {
    const found = axes.get(value)
    if (found !== batchAxis && found !== 'none')
      throw new FepError(
        'FEP_BAD_GRAPH',
        `Scan body '${body.name}' returns '${name}' with rows on axis ${found}, not ${batchAxis} (axis ${axis} is scanned)`,
      )
  })
}
