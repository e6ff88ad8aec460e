/** Operators that store their operands into one array. */
import { operandOf, resultOf, sliceView } from '@fep-moe/core/lowering'
import { emitStore } from '../emit/store.js'
import type { LoweringsOf } from './lowering.js'

export const layout: LoweringsOf<'Concat' | 'Pad'> = {
  Concat: (scope, node) => {
    const result = resultOf(node)
    const { axis } = node.attrs
    const parts = node.inputs.map((name) => scope.lazy(name))
    const out = scope.allocate(result)
    scope.kernel('Concat', result, (k) => {
      let at = 0
      for (const part of parts) {
        const length = part.shape[axis] as number
        emitStore(k, sliceView(out, axis, at, length), part)
        at += length
      }
    })
    scope.define(result, out)
  },
  Pad: (scope, node) => {
    const result = resultOf(node)
    const { pads, value } = node.attrs
    const x = scope.lazy(operandOf(node))
    const out = scope.allocate(result)
    const { dtype, shape } = scope.info(result)
    scope.kernel('Pad', result, (k) => {
      emitStore(k, out, { shape, tree: { kind: 'literal', dtype, value } })
      const inside = x.shape.reduce(
        (v, length, axis) => sliceView(v, axis, pads[axis] as number, length),
        out,
      )
      emitStore(k, inside, x)
    })
    scope.define(result, out)
  },
}
