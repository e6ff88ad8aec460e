/** Reductions and running sums: short rows by one thread each, long ones by a workgroup each. */
import { countOf, type DType } from '@fep-moe/core'
import {
  flipView,
  moveLazy,
  operandOf,
  permuteView,
  reshapeView,
  resultOf,
  type View,
  viewsOf,
} from '@fep-moe/core/lowering'
import { type Fold, maxOf, sumOf } from '../emit/row-pass.js'
import { costOf, scalarCode } from '../emit/scalar.js'
import { Space } from '../emit/space.js'
import { positionOf } from '../lower/scope.js'
import type { Lowering, LoweringsOf } from './lowering.js'

/** Kept axes first, reduced ones last: one total per element of the first ones. */
function reduction<O extends 'ReduceSum' | 'ReduceMax'>(
  foldOf: (dtype: DType) => Fold,
  ofNothing: number,
): Lowering<O> {
  return (scope, node) => {
    const result = resultOf(node)
    const x = scope.lazy(operandOf(node))
    const { axes } = node.attrs
    const { dtype, shape } = scope.info(result)
    const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i))
    const order = [...kept, ...axes]
    const [items, row] = [kept, axes].map((list) => list.map((i) => x.shape[i] as number)) as [
      number[],
      number[],
    ]
    const length = countOf(row)
    if (length === 0)
      return scope.define(result, { shape, tree: { kind: 'literal', dtype, value: ofNothing } })
    const out = scope.allocate(result)
    scope.define(result, out)
    const { tree } = moveLazy(x, [...items, ...row], (view) => permuteView(view, order))
    const [views, totals] = [viewsOf(tree), reshapeView(out, items) as View]
    const rowAxis = scope.row(operandOf(node))
    scope.kernel(node.op, result, {
      items,
      row: positionOf(rowAxis, axes),
      length,
      cost: length * (1 + costOf(tree)),
      write: ({ k, space, pass }) => {
        const at = space([...views, totals])
        const total = pass.fold('total', foldOf(dtype), (l) => {
          const along = new Space(k, l, row, views, { skip: items.length })
          return scalarCode(k, tree, (view) => k.index(view, [...at.terms(view), ...along.terms(view)]))
        })
        k.store(totals, k.index(totals, at.terms(totals)), total)
      },
    })
  }
}

export const reduce: LoweringsOf<'ReduceSum' | 'ReduceMax' | 'CumSum'> = {
  ReduceSum: reduction(sumOf, 0),
  ReduceMax: reduction(maxOf, Number.NEGATIVE_INFINITY),
  CumSum: (scope, node) => {
    const result = resultOf(node)
    const { axis, exclusive, reverse } = node.attrs
    const x = scope.lazy(operandOf(node))
    const out = scope.allocate(result)
    scope.define(result, out)
    const order = [...x.shape.map((_, i) => i).filter((i) => i !== axis), axis]
    const shape = order.map((i) => x.shape[i] as number)
    const [items, length] = [shape.slice(0, -1), shape.at(-1) as number]
    if (length === 0) return
    const along = (view: View) => permuteView(reverse ? flipView(view, axis) : view, order)
    const { tree } = moveLazy(x, shape, along)
    const [views, target] = [viewsOf(tree), along(out)]
    scope.kernel('CumSum', result, {
      items,
      row: positionOf(scope.row(result), [axis]),
      cost: length * (1 + costOf(tree)),
      write: ({ k, space }) => {
        const at = space([...views, target])
        const total = k.fresh('total')
        k.line(`var ${total} = ${x.tree.dtype === 'int32' ? '0i' : '0.0f'};`)
        const l = k.loop('l', `${length}u`)
        const steps = new Space(k, l, [length], [...views, target], { skip: items.length })
        const index = (view: View) => k.index(view, [...at.terms(view), ...steps.terms(view)])
        if (exclusive) k.store(target, index(target), total)
        k.line(`${total} += ${scalarCode(k, tree, index)};`)
        if (!exclusive) k.store(target, index(target), total)
        k.close()
      },
    })
  },
}
