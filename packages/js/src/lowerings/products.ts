/** Matrix products: batched, and grouped by row ranges that only the data knows. */

import { broadcastView, operandOf, permuteView, pickView, resultOf, type View } from '@fep-moe/core/lowering'
import { emitProduct } from '../emit/product.js'
import { emitStore } from '../emit/store.js'
import type { LoweringsOf } from './lowering.js'
import { lowerMatVec } from './matvec.js'

export const products: LoweringsOf<'MatMul' | 'GroupedMatMul'> = {
  MatMul: (scope, node) => {
    const result = resultOf(node)
    const [a, b] = [scope.view(operandOf(node)), scope.view(operandOf(node, 1))]
    const out = scope.allocate(result)
    scope.define(result, out)
    if (out.shape.includes(0) || lowerMatVec(scope, result, a, b, out)) return
    const lead = out.shape.slice(0, -2)
    const spread = (v: View) => broadcastView(v, [...lead, ...v.shape.slice(-2)])
    scope.kernel(`MatMul (${a.shape.join(', ')}) x (${b.shape.join(', ')})`, result, (k) => {
      // One product per element of the axes before the last two, which become steps of the three views.
      let [x, y, z] = [spread(a), spread(b), out]
      const opened = lead.map((length) => {
        const index = length === 1 ? '0' : k.loop('batch', length)
        ;[x, y, z] = [pickView(x, 0, index), pickView(y, 0, index), pickView(z, 0, index)]
        return length > 1
      })
      emitProduct(k, x, y, z, { from: 0, to: a.shape.at(-1) as number })
      for (const open of opened) if (open) k.close()
    })
  },
  GroupedMatMul: (scope, node) => {
    const result = resultOf(node)
    const [x, w, offsets] = [0, 1, 2].map((i) => scope.view(operandOf(node, i))) as [View, View, View]
    const out = scope.allocate(result)
    scope.define(result, out)
    const rows = x.shape[0] as number
    const groups = (offsets.shape[0] as number) - 1
    const forward = node.attrs.mode === 'forward'
    scope.kernel(`GroupedMatMul ${node.attrs.mode}`, result, (k) => {
      if (forward)
        emitStore(k, out, { shape: out.shape, tree: { kind: 'literal', dtype: 'float32', value: 0 } })
      if (groups <= 0) return
      const e = k.loop('e', groups)
      const [from, to] = [k.fresh('from'), k.fresh('to')]
      const next: View = { ...offsets, offset: offsets.offset + (offsets.strides[0] as number) }
      k.line(`const ${from} = ${k.element(offsets, [e])}, ${to} = ${k.element(next, [e])}`)
      k.line(`checkGroup(${e}, ${from}, ${to}, ${rows})`)
      if (forward) {
        const r = k.loop('r', to, 1, from)
        const row = (v: View): View => ({
          ...pickView(v, 0, r),
          shape: [1, v.shape[1] as number],
          strides: [0, v.strides[1] as number],
        })
        if (!out.shape.includes(0))
          emitProduct(k, row(x), pickView(w, 0, e), row(out), { from: 0, to: x.shape[1] as number })
        k.close()
      } else if (!out.shape.includes(0))
        emitProduct(k, permuteView(x, [1, 0]), w, pickView(out, 0, e), { from, to })
      k.close()
    })
  },
}
