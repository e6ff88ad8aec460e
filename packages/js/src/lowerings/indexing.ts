/**
 * Gather and scatter-add. The place along the indexed axis is a variable of the generated code, so the indexed array is a
 * view without that axis and with a step along it. Scatters add in index order: results are repeatable.
 */

import { operandOf, pickView, resultOf, type View } from '@fep-moe/core/lowering'
import { Loops } from '../emit/loops.js'
import { emitStore } from '../emit/store.js'
import type { LoweringsOf } from './lowering.js'

/** `x` without its indexed axis, repeated over axes that only the indices have. */
function picked(x: View, axis: number, variable: string, lead: readonly number[], rank: number): View {
  const rest = pickView(x, axis, variable)
  const [before, after] = [rest.shape.slice(0, axis), rest.shape.slice(axis)]
  const strides = [
    ...rest.strides.slice(0, axis),
    ...new Array<number>(rank).fill(0),
    ...rest.strides.slice(axis),
  ]
  return { ...rest, shape: [...before, ...lead, ...after], strides }
}

/** Indices over the shape of the result of a Gather, or of the updates of a ScatterND. */
function spread(indices: View, before: number, shape: readonly number[]): View {
  const after = shape.length - before - indices.shape.length
  const strides = [
    ...new Array<number>(before).fill(0),
    ...indices.strides,
    ...new Array<number>(after).fill(0),
  ]
  return { ...indices, shape, strides }
}

export const indexing: LoweringsOf<'Gather' | 'ScatterND' | 'GatherElements' | 'ScatterElements'> = {
  Gather: (scope, node) => {
    const result = resultOf(node)
    const { axis } = node.attrs
    const [x, indices] = [scope.view(operandOf(node)), scope.view(operandOf(node, 1))]
    const { shape } = scope.info(result)
    const out = scope.allocate(result)
    scope.define(result, out)
    if (shape.includes(0)) return
    scope.kernel('Gather', result, (k) => {
      const row = k.fresh('row')
      const at = spread(indices, axis, shape)
      const from = picked(x, axis, row, indices.shape, indices.shape.length)
      const loops = new Loops(k, shape, [], [at, from, out], axis + indices.shape.length)
      loops.openOuter()
      k.line(`const ${row} = checkedIndex(${loops.element(at)}, ${x.shape[axis]})`)
      loops.openInner()
      k.line(`${loops.element(out)} = ${loops.element(from)}`)
      loops.close()
    })
  },
  ScatterND: (scope, node) => {
    const result = resultOf(node)
    const x = scope.lazy(operandOf(node))
    const updates = scope.view(operandOf(node, 2))
    const given = scope.view(operandOf(node, 1))
    const indices: View = { ...given, shape: given.shape.slice(0, -1), strides: given.strides.slice(0, -1) }
    const out = scope.allocate(result)
    scope.define(result, out)
    scope.kernel('ScatterND', result, (k) => {
      emitStore(k, out, x)
      if (updates.shape.includes(0)) return
      const row = k.fresh('row')
      const at = spread(indices, 0, updates.shape)
      const to = picked(out, 0, row, indices.shape, indices.shape.length)
      const loops = new Loops(k, updates.shape, [], [at, to, updates], indices.shape.length)
      loops.openOuter()
      k.line(`const ${row} = checkedIndex(${loops.element(at)}, ${x.shape[0]})`)
      loops.openInner()
      k.line(`${loops.element(to)} += ${loops.element(updates)}`)
      loops.close()
    })
  },
  GatherElements: (scope, node) => {
    const result = resultOf(node)
    const { axis } = node.attrs
    const [x, indices] = [scope.view(operandOf(node)), scope.view(operandOf(node, 1))]
    const out = scope.allocate(result)
    scope.define(result, out)
    if (indices.shape.includes(0)) return
    scope.kernel('GatherElements', result, (k) => {
      const row = k.fresh('row')
      const from = picked(x, axis, row, [indices.shape[axis] as number], 1)
      const loops = new Loops(k, indices.shape, [], [indices, from, out])
      loops.openInner()
      k.line(`const ${row} = checkedIndex(${loops.element(indices)}, ${x.shape[axis]})`)
      k.line(`${loops.element(out)} = ${loops.element(from)}`)
      loops.close()
    })
  },
  ScatterElements: (scope, node) => {
    const result = resultOf(node)
    const { axis } = node.attrs
    const x = scope.lazy(operandOf(node))
    const [indices, updates] = [scope.view(operandOf(node, 1)), scope.view(operandOf(node, 2))]
    const out = scope.allocate(result)
    scope.define(result, out)
    scope.kernel('ScatterElements', result, (k) => {
      emitStore(k, out, x)
      if (indices.shape.includes(0)) return
      const row = k.fresh('row')
      const to = picked(out, axis, row, [indices.shape[axis] as number], 1)
      const loops = new Loops(k, indices.shape, [], [indices, to, updates])
      loops.openInner()
      k.line(`const ${row} = checkedIndex(${loops.element(indices)}, ${x.shape[axis]})`)
      k.line(`${loops.element(to)} += ${loops.element(updates)}`)
      loops.close()
    })
  },
}
