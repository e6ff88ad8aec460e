/** The diagonal recurrence: one thread per lane, with the state in a variable. */

import { countOf } from '@fep-moe/core'
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
import { costOf, scalarCode } from '../emit/scalar.js'
import { Space } from '../emit/space.js'
import { positionOf } from '../lower/scope.js'
import type { Lowering } from './lowering.js'

export const LinearScan: Lowering<'LinearScan'> = (scope, node) => {
  const [h, last] = node.outputs as [string, string]
  const { axis, reverse } = node.attrs
  const { shape } = scope.info(resultOf(node))
  const steps = shape[axis] as number
  const [a, b, h0] = node.inputs as [string, string, string]
  if (steps === 0) {
    const lanes = scope.info(last).shape
    scope.define(h, scope.allocate(h))
    scope.define(last, broadcastLazy(scope.operand(h0, lanes), lanes))
    return
  }
  const out = scope.allocate(h)
  scope.define(h, out)
  const order = [...shape.map((_, i) => i).filter((i) => i !== axis), axis]
  const lanes = order.map((i) => shape[i] as number)
  const items = lanes.slice(0, -1)
  const along = (view: View) => permuteView(reverse ? flipView(view, axis) : view, order)
  // Of h0, a broadcast along the axis: read once per lane.
  const [decay, input, initial] = [a, b, h0].map(
    (name) => moveLazy(broadcastLazy(scope.operand(name, shape), shape), lanes, along).tree,
  ) as [
    ReturnType<typeof scope.lazy>['tree'],
    ReturnType<typeof scope.lazy>['tree'],
    ReturnType<typeof scope.lazy>['tree'],
  ]
  const target = along(out)
  const [views, starts] = [[decay, input].flatMap(viewsOf), viewsOf(initial)]
  const cost = steps * (3 + costOf(decay) + costOf(input))
  const splits = cost * countOf(items) > scope.module.mostCost && !scope.module.isInside
  scope.kernel('LinearScan', h, {
    items,
    row: positionOf(scope.row(h), [axis]),
    cost,
    steps: splits ? steps : undefined,
    write: ({ k, space }) => {
      const at = space([...views, ...starts, target])
      const read = (view: View) => k.index(view, at.terms(view))
      const state = k.fresh('state')
      const [start, stop] = splits ? [k.word('start'), k.word('stop')] : ['0u', `${steps}u`]
      if (splits) {
        const before = new Space(k, k.hold('before', `${start} - 1u`), [steps], [target], {
          skip: items.length,
        })
        k.line(`var ${state} = 0.0f;`)
        k.open(`if (${start} == 0u)`)
        k.line(`${state} = ${scalarCode(k, initial, read)};`)
        k.otherwise()
        k.line(
          `${state} = ${k.load(target, k.index(target, [...at.terms(target), ...before.terms(target)]))};`,
        )
        k.close()
      } else k.line(`var ${state} = ${scalarCode(k, initial, read)};`)
      const l = k.loop('l', stop, start)
      const step = new Space(k, l, [steps], [...views, target], { skip: items.length })
      const index = (view: View) => k.index(view, [...at.terms(view), ...step.terms(view)])
      k.line(`${state} = ${scalarCode(k, decay, index)} * ${state} + ${scalarCode(k, input, index)};`)
      k.store(target, index(target), state)
      k.close()
    },
  })
  scope.define(last, sliceView(out, axis, reverse ? 0 : steps - 1, 1))
}
