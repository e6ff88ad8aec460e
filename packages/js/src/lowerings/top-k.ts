/** The k largest: by insertion into the results where k is small, else by sorting. Equal elements keep their order. */

import { mapViews, operandOf, pickView, type View, viewsOf } from '@fep-moe/core/lowering'
import type { KernelWriter } from '../emit/kernel-writer.js'
import { Loops } from '../emit/loops.js'
import { scalarCode } from '../emit/scalar.js'
import type { Lowering } from './lowering.js'

/** Insertion takes up to k steps per element. */
const LARGEST_INSERTION = 16

/** Elements of one lane as text: those that `s` and `j` point at, the one before j, and the last. */
interface Lane {
  readonly s: string
  readonly j: string
  /** Writes what it takes to read x[s], and returns it. */
  x(): string
  readonly best: string
  readonly bestBefore: string
  readonly lowest: string
  readonly where: string
  readonly whereBefore: string
}

export const TopK: Lowering<'TopK'> = (scope, node) => {
  const [values, indices] = node.outputs as [string, string]
  const { k: count, axis } = node.attrs
  const x = scope.lazy(operandOf(node))
  const [best, where] = [scope.allocate(values), scope.allocate(indices)]
  scope.define(values, best)
  scope.define(indices, where)
  const length = x.shape[axis] as number
  const lanes = x.shape.filter((_, i) => i !== axis)
  if (count === 0 || lanes.includes(0)) return
  scope.kernel('TopK', values, (k) => {
    const [s, j] = [k.fresh('s'), k.fresh('j')]
    const tree = mapViews(x.tree, (view) => pickView(view, axis, s))
    const at = (view: View, index: string, shift = 0): View => {
      const picked = pickView(view, axis, index)
      return { ...picked, offset: picked.offset + shift * (view.strides[axis] as number) }
    }
    const places = {
      best: at(best, j),
      bestBefore: at(best, j, -1),
      lowest: at(best, String(count - 1)),
      where: at(where, j),
      whereBefore: at(where, j, -1),
    }
    const loops = new Loops(k, lanes, [], [...viewsOf(tree), ...Object.values(places)])
    loops.openInner()
    const lane: Lane = {
      s,
      j,
      x: () => scalarCode(k, tree, (view) => loops.element(view)),
      best: loops.element(places.best),
      bestBefore: loops.element(places.bestBefore),
      lowest: loops.element(places.lowest),
      where: loops.element(places.where),
      whereBefore: loops.element(places.whereBefore),
    }
    if (count <= LARGEST_INSERTION) insert(k, lane, length, count)
    else {
      const scratch = (['float64', 'int32', 'int32'] as const).map((dtype) =>
        k.array(scope.module.allocate(dtype, [length])),
      )
      sort(k, lane, scratch as [string, string, string], length, count)
    }
    loops.close()
  })
}

/** Every element moves up past smaller ones, unless k larger ones are there already. */
function insert(k: KernelWriter, lane: Lane, length: number, count: number): void {
  const { s, j } = lane
  k.open(`for (let ${s} = 0; ${s} < ${length}; ${s}++)`)
  const value = k.fresh('value')
  k.line(`const ${value} = ${lane.x()}`)
  k.line(`let ${j} = ${s}`)
  if (count < length) {
    k.open(`if (${s} >= ${count})`)
    k.line(`if (!(${value} > ${lane.lowest})) continue`)
    k.line(`${j} = ${count - 1}`)
    k.close()
  }
  k.open(`for (; ${j} > 0 && ${value} > ${lane.bestBefore}; ${j}--)`)
  k.line(`${lane.best} = ${lane.bestBefore}`)
  k.line(`${lane.where} = ${lane.whereBefore}`)
  k.close()
  k.line(`${lane.best} = ${value}`)
  k.line(`${lane.where} = ${s}`)
  k.close()
}

/** Sorts the whole lane in scratch memory. */
function sort(
  k: KernelWriter,
  lane: Lane,
  [keys, order, spare]: readonly [string, string, string],
  length: number,
  count: number,
): void {
  const { s, j } = lane
  k.open(`for (let ${s} = 0; ${s} < ${length}; ${s}++)`)
  k.line(`${keys}[${s}] = ${lane.x()}`)
  k.close()
  k.line(`rankFalling(${keys}, ${order}, ${spare})`)
  k.open(`for (let ${j} = 0; ${j} < ${count}; ${j}++)`)
  k.line(`${lane.best} = ${keys}[${order}[${j}]]`)
  k.line(`${lane.where} = ${order}[${j}]`)
  k.close()
}
