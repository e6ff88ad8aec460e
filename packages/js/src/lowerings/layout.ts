/** Operators that move elements. Most of them only make another view; Concat and Pad store their operands into one. */
import { emitStore } from '../emit/store.js'
import { broadcastLazy, moveLazy, reshapeLazy } from '../ir/lazy.js'
import { permuteView, reshapeView, sliceView, type View } from '../ir/view.js'
import { type LoweringsOf, operandOf, resultOf } from './lowering.js'

export const layout: LoweringsOf<
  'Constant' | 'Reshape' | 'Transpose' | 'Expand' | 'Slice' | 'Concat' | 'Pad'
> = {
  Constant: (scope, node) => {
    const { dtype, shape, data } = node.attrs
    const [first = 0] = data
    // One number, however often it repeats, is part of the code that reads it.
    if (data.every((v) => Object.is(v, first)))
      scope.define(resultOf(node), { shape, tree: { kind: 'literal', dtype, value: first } })
    else scope.define(resultOf(node), scope.module.constant(dtype, shape, data))
  },
  Reshape: (scope, node) => {
    const [x, result] = [operandOf(node), resultOf(node)]
    const { shape } = scope.info(result)
    scope.define(
      result,
      reshapeLazy(scope.lazy(x), shape) ?? (reshapeView(scope.materialize(x), shape) as View),
    )
  },
  Transpose: (scope, node) => {
    const result = resultOf(node)
    const { shape } = scope.info(result)
    scope.define(
      result,
      moveLazy(scope.lazy(operandOf(node)), shape, (view) => permuteView(view, node.attrs.perm)),
    )
  },
  Expand: (scope, node) => {
    const result = resultOf(node)
    const { shape } = scope.info(result)
    scope.define(result, broadcastLazy(scope.operand(operandOf(node), shape), shape))
  },
  Slice: (scope, node) => {
    const result = resultOf(node)
    const { axes, starts } = node.attrs
    const { shape } = scope.info(result)
    const cut = (view: View) =>
      axes.reduce((v, axis, i) => sliceView(v, axis, starts[i] as number, shape[axis] as number), view)
    scope.define(result, moveLazy(scope.lazy(operandOf(node)), shape, cut))
  },
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
