/** Reductions and running sums: totals are doubles, in row-major order, and are rounded once. */

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
import { Loops } from '../emit/loops.js'
import { scalarCode } from '../emit/scalar.js'
import type { Lowering, LoweringsOf } from './lowering.js'

/** Kept axes first, reduced ones last: one total per element of the first ones. */
function reduction<O extends 'ReduceSum' | 'ReduceMax'>(
  start: string,
  take: (total: string, x: string) => string,
): Lowering<O> {
  return (scope, node) => {
    const result = resultOf(node)
    const x = scope.lazy(operandOf(node))
    const out = scope.allocate(result)
    const axes = x.shape.map((_, i) => i)
    const kept = axes.filter((i) => !node.attrs.axes.includes(i))
    const order = [...kept, ...node.attrs.axes]
    const shape = order.map((i) => x.shape[i] as number)
    const { tree } = moveLazy(x, shape, (view) => permuteView(view, order))
    const totals = reshapeView(out, shape.slice(0, kept.length)) as View
    const target: View = { ...totals, shape, strides: [...totals.strides, ...node.attrs.axes.map(() => 0)] }
    scope.define(result, out)
    if (scope.info(result).shape.includes(0)) return
    scope.kernel(node.op, result, (k) => {
      const loops = new Loops(k, shape, viewsOf(tree), [target], kept.length)
      loops.openOuter()
      const total = k.fresh('total')
      k.line(`let ${total} = ${start}`)
      loops.openInner()
      k.line(
        take(
          total,
          scalarCode(k, tree, (view) => loops.element(view)),
        ),
      )
      loops.closeInner()
      k.line(`${loops.element(target)} = ${total}`)
      loops.close()
    })
  }
}

export const reduce: LoweringsOf<'ReduceSum' | 'ReduceMax' | 'CumSum'> = {
  ReduceSum: reduction('0', (total, x) => `${total} += ${x}`),
  ReduceMax: reduction('-Infinity', (total, x) => `${total} = max(${total}, ${x})`),
  CumSum: (scope, node) => {
    const result = resultOf(node)
    const { axis, exclusive, reverse } = node.attrs
    const x = scope.lazy(operandOf(node))
    const out = scope.allocate(result)
    const order = [...x.shape.map((_, i) => i).filter((i) => i !== axis), axis]
    const shape = order.map((i) => x.shape[i] as number)
    const along = (view: View) => permuteView(reverse ? flipView(view, axis) : view, order)
    const { tree } = moveLazy(x, shape, along)
    const target = along(out)
    scope.define(result, out)
    if (shape.includes(0)) return
    scope.kernel('CumSum', result, (k) => {
      const loops = new Loops(k, shape, viewsOf(tree), [target], shape.length - 1)
      loops.openOuter()
      const total = k.fresh('total')
      k.line(`let ${total} = 0`)
      loops.openInner()
      if (exclusive) k.line(`${loops.element(target)} = ${total}`)
      k.line(`${total} += ${scalarCode(k, tree, (view) => loops.element(view))}`)
      if (!exclusive) k.line(`${loops.element(target)} = ${total}`)
      loops.close()
    })
  },
}
