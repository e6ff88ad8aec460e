/** The diagonal recurrence: a loop in time per lane, with the state in a local variable. */

import {
  broadcastLazy,
  flipView,
  moveLazy,
  permuteView,
  resultOf,
  sliceView,
  type View,
  viewsOf,
} from '@fep-moe/core/lowering'
import { Loops } from '../emit/loops.js'
import { scalarCode } from '../emit/scalar.js'
import type { Lowering } from './lowering.js'

export const LinearScan: Lowering<'LinearScan'> = (scope, node) => {
  const [h, last] = node.outputs as [string, string]
  const { axis, reverse } = node.attrs
  const { shape } = scope.info(resultOf(node))
  const steps = shape[axis] as number
  const [a, b, h0] = node.inputs as [string, string, string]
  const out = scope.allocate(h)
  scope.define(h, out)
  if (steps === 0) {
    const lanes = scope.info(last).shape
    scope.define(last, broadcastLazy(scope.operand(h0, lanes), lanes))
    return
  }
  const order = [...shape.map((_, i) => i).filter((i) => i !== axis), axis]
  const lanes = order.map((i) => shape[i] as number)
  const along = (view: View) => permuteView(reverse ? flipView(view, axis) : view, order)
  // Of h0, a broadcast along the axis: read once per lane.
  const [decay, input, initial] = [a, b, h0].map(
    (name) => moveLazy(broadcastLazy(scope.operand(name, shape), shape), lanes, along).tree,
  )
  const target = along(out)
  if (!lanes.includes(0))
    scope.kernel('LinearScan', h, (k) => {
      const views = [decay!, input!, initial!].flatMap(viewsOf)
      const loops = new Loops(k, lanes, views, [target], lanes.length - 1)
      const read = (view: View) => loops.element(view)
      loops.openOuter()
      const state = k.fresh('state')
      k.line(`let ${state} = ${scalarCode(k, initial!, read)}`)
      loops.openInner()
      k.line(`${state} = fround(${scalarCode(k, decay!, read)} * ${state} + ${scalarCode(k, input!, read)})`)
      k.line(`${loops.element(target)} = ${state}`)
      loops.close()
    })
  scope.define(last, sliceView(out, axis, reverse ? 0 : steps - 1, 1))
}
