/** Operators that store their operands into one array: each element asks which operand it comes from. */
import {
  type Lazy,
  moveLazy,
  operandOf,
  resultOf,
  sliceView,
  type View,
  viewsOf,
} from '@fep-moe/core/lowering'
import { costOf, storeTree } from '../emit/scalar.js'
import type { LoweringsOf } from './lowering.js'

/** Operands of one kernel; a longer Concat takes several. */
const MOST_PARTS = 8

/** An operand whose element 0 lies at `by` on an axis of the result: read by coordinates of the result. */
const shifted = (lazy: Lazy, axis: number, by: number): Lazy =>
  moveLazy(lazy, lazy.shape, (view) => ({
    ...view,
    offset: view.offset - by * (view.strides[axis] as number),
  }))

export const layout: LoweringsOf<'Concat' | 'Pad'> = {
  Concat: (scope, node) => {
    const result = resultOf(node)
    const { axis } = node.attrs
    const parts = node.inputs.map((name) => scope.lazy(name)).filter(({ shape }) => !shape.includes(0))
    const out = scope.allocate(result)
    scope.define(result, out)
    let done = 0
    for (let from = 0; from < parts.length; from += MOST_PARTS) {
      let end = 0
      const group = parts.slice(from, from + MOST_PARTS).map((part) => {
        const start = end
        end += part.shape[axis] as number
        return { end, tree: shifted(part, axis, start).tree }
      })
      const target = sliceView(out, axis, done, end)
      done += end
      scope.kernel('Concat', result, {
        items: target.shape,
        row: scope.row(result),
        cost: Math.max(...group.map(({ tree }) => costOf(tree))),
        write: ({ k, space }) => {
          const at = space([target, ...group.flatMap(({ tree }) => viewsOf(tree))], [axis])
          const index = (view: View) => k.index(view, at.terms(view))
          group.forEach(({ tree, end }, n) => {
            const isLast = n === group.length - 1
            if (group.length > 1) {
              const head = isLast ? '' : `if (${at.coordinate(axis)} < ${end}u)`
              if (n === 0) k.open(head)
              else k.otherwise(head)
            }
            storeTree(k, target, index(target), tree, index)
          })
          if (group.length > 1) k.close()
        },
      })
    }
  },
  Pad: (scope, node) => {
    const result = resultOf(node)
    const { pads, value } = node.attrs
    const x = scope.lazy(operandOf(node))
    const out = scope.allocate(result)
    scope.define(result, out)
    const { dtype, shape } = scope.info(result)
    const axes = shape.flatMap((dim, axis) => (dim === x.shape[axis] ? [] : [axis]))
    const { tree } = axes.reduce((lazy, axis) => shifted(lazy, axis, pads[axis] as number), x)
    const fill = { kind: 'literal', dtype, value } as const
    scope.kernel('Pad', result, {
      items: shape,
      row: scope.row(result),
      cost: costOf(tree),
      write: ({ k, space }) => {
        const at = space([out, ...viewsOf(tree)], axes)
        const index = (view: View) => k.index(view, at.terms(view))
        const inside = axes.flatMap((axis) => {
          const [i, from] = [at.coordinate(axis), pads[axis] as number]
          const to = from + (x.shape[axis] as number)
          return [from > 0 ? [`${i} >= ${from}u`] : [], to < (shape[axis] as number) ? [`${i} < ${to}u`] : []]
        })
        const conditions = inside.flat()
        if (x.shape.includes(0)) storeTree(k, out, index(out), fill, index)
        else if (conditions.length === 0) storeTree(k, out, index(out), tree, index)
        else {
          k.open(`if (${conditions.join(' && ')})`)
          storeTree(k, out, index(out), tree, index)
          k.otherwise()
          storeTree(k, out, index(out), fill, index)
          k.close()
        }
      },
    })
  },
}
