/**
 * The k largest: k times the largest of what is left. Elements are compared as integers that have the order of the floats,
 * so the order is total whatever a compiler thinks of NaN and subnormals: indices differ and lie in their row.
 */
import { operandOf, resultOf, type View } from '@fep-moe/core/lowering'
import { term } from '../emit/wgsl-writer.js'
import { positionOf } from '../lower/scope.js'
import type { Lowering } from './lowering.js'

export const TopK: Lowering<'TopK'> = (scope, node) => {
  const [values, indices] = node.outputs as [string, string]
  const { k: count, axis } = node.attrs
  const x = scope.view(operandOf(node))
  const [best, where] = [scope.allocate(values), scope.allocate(indices)]
  scope.define(values, best)
  scope.define(indices, where)
  if (count === 0) return
  const length = x.shape[axis] as number
  const without = (list: readonly number[]) => list.filter((_, i) => i !== axis)
  const lane = (view: View): View => ({ ...view, shape: without(view.shape), strides: without(view.strides) })
  const [from, toValue, toIndex] = [x, best, where].map(lane) as [View, View, View]
  scope.kernel('TopK', resultOf(node), {
    items: without(x.shape),
    row: positionOf(scope.row(values), [axis]),
    cost: 4 * length * count,
    write: ({ k, space }) => {
      const item = space([from, toValue, toIndex])
      const at = (view: View, whole: View, step: string) =>
        k.index(view, [
          ...item.terms(view),
          ...(whole.strides[axis] === 0 ? [] : [term(step, whole.strides[axis] as number)]),
        ])
      const keyOf = (step: string) => {
        const word = k.word32(from, at(from, x, step))
        return x.buffer.dtype === 'int32' ? `bitcast<i32>(${word})` : `${k.use('order_key')}(${word})`
      }
      k.line('var last = 0u;')
      k.line('var last_key = 0i;')
      const j = k.loop('j', `${count}u`)
      k.line('var best = 0u;')
      k.line('var best_key = 0i;')
      k.line('var found = false;')
      const l = k.loop('l', `${length}u`)
      k.line(`let key = ${keyOf(l)};`)
      k.line(`let is_left = ${j} == 0u || key < last_key || (key == last_key && ${l} > last);`)
      k.open('if (is_left && (!found || key > best_key))')
      k.line(`best = ${l};`)
      k.line('best_key = key;')
      k.line('found = true;')
      k.close()
      k.close()
      k.storeWord(toValue, at(toValue, best, j), k.word32(from, at(from, x, 'best')))
      k.storeWord(toIndex, at(toIndex, where, j), 'best')
      k.line('last = best;')
      k.line('last_key = best_key;')
      k.close()
    },
  })
}
