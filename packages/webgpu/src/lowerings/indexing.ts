/**
 * Gather and scatter-add. A negative index counts from the end. One outside of its axis gathers the nearest element and
 * adds nowhere: WGSL cannot fail. Sums are in index order, or by one fixed tree: results are repeatable, without atomics.
 */
import { countOf } from '@fep-moe/core'
import { type Lazy, operandOf, resultOf, type View, viewsOf } from '@fep-moe/core/lowering'
import { sumOf } from '../emit/row-pass.js'
import { costOf, scalarCode, storeTree } from '../emit/scalar.js'
import { Space } from '../emit/space.js'
import { term, type WgslWriter } from '../emit/wgsl-writer.js'
import { positionOf, type Scope } from '../lower/scope.js'
import type { LoweringsOf } from './lowering.js'

const zeros = (n: number): number[] => new Array<number>(n).fill(0)

/** A view over the axes of a result, of which it has none on some. */
const over = (view: View, shape: readonly number[], strides: readonly number[]): View => ({
  ...view,
  shape,
  strides,
})

/** The element that an index points at. */
const wrapped = (k: WgslWriter, index: string, length: number): string =>
  k.hold('row_at', `${k.use('wrap_index')}(${index}, ${length}i)`)

export const indexing: LoweringsOf<'Gather' | 'ScatterND' | 'GatherElements' | 'ScatterElements'> = {
  Gather: (scope, node) => {
    const result = resultOf(node)
    const { axis } = node.attrs
    const [x, indices] = [scope.view(operandOf(node)), scope.view(operandOf(node, 1))]
    const { shape } = scope.info(result)
    const out = scope.allocate(result)
    scope.define(result, out)
    const picks = indices.shape.length
    const after = shape.length - axis - picks
    const at = over(indices, shape, [...zeros(axis), ...indices.strides, ...zeros(after)])
    const from = over(x, shape, [...x.strides.slice(0, axis), ...zeros(picks), ...x.strides.slice(axis + 1)])
    gather(scope, 'Gather', result, {
      at,
      from,
      out,
      length: x.shape[axis] as number,
      stride: x.strides[axis] as number,
    })
  },
  GatherElements: (scope, node) => {
    const result = resultOf(node)
    const { axis } = node.attrs
    const [x, at] = [scope.view(operandOf(node)), scope.view(operandOf(node, 1))]
    const out = scope.allocate(result)
    scope.define(result, out)
    const from = over(
      x,
      at.shape,
      x.strides.map((stride, i) => (i === axis ? 0 : stride)),
    )
    gather(scope, 'GatherElements', result, {
      at,
      from,
      out,
      length: x.shape[axis] as number,
      stride: x.strides[axis] as number,
    })
  },
  ScatterND: (scope, node) => {
    const given = scope.view(operandOf(node, 1))
    const updates = scope.view(operandOf(node, 2))
    const lead = given.shape.slice(0, -1)
    scatter(scope, 'ScatterND', node, {
      axis: 0,
      picks: lead,
      indices: over(given, lead, given.strides.slice(0, -1)),
      updates: over(updates, lead, updates.strides.slice(0, lead.length)),
      indexStrides: (rank) => zeros(rank),
      updateStrides: [0, ...updates.strides.slice(lead.length)],
    })
  },
  ScatterElements: (scope, node) => {
    const { axis } = node.attrs
    const [indices, updates] = [scope.view(operandOf(node, 1)), scope.view(operandOf(node, 2))]
    const picks = [indices.shape[axis] as number]
    const off = (view: View) => view.strides.map((stride, i) => (i === axis ? 0 : stride))
    scatter(scope, 'ScatterElements', node, {
      axis,
      picks,
      indices: over(indices, picks, [indices.strides[axis] as number]),
      updates: over(updates, picks, [updates.strides[axis] as number]),
      indexStrides: () => off(indices),
      updateStrides: off(updates),
    })
  },
}

function gather(
  scope: Scope,
  op: string,
  result: string,
  { at, from, out, length, stride }: { at: View; from: View; out: View; length: number; stride: number },
): void {
  scope.kernel(op, result, {
    items: out.shape,
    row: scope.row(result),
    cost: 2,
    write: ({ k, space }) => {
      const item = space([at, from, out])
      const row = wrapped(k, k.load(at, k.index(at, item.terms(at))), length)
      const moved = stride === 0 ? [] : [term(row, stride)]
      k.storeWord(
        out,
        k.index(out, item.terms(out)),
        k.word32(from, k.index(from, [...item.terms(from), ...moved])),
      )
    },
  })
}

/** What is added where: for each element of `picks`, an index on `axis` and updates over the other axes of the result. */
interface Scattering {
  readonly axis: number
  readonly picks: readonly number[]
  /** Over `picks`. */
  readonly indices: View
  readonly updates: View
  /** Over the result; 0 on `axis`. */
  indexStrides(rank: number): readonly number[]
  readonly updateStrides: readonly number[]
}

/** Work up to which every element of the result looks through all indices; above, one thread adds along the axis. */
const MOST_LOOKING = 2 ** 24

function scatter(
  scope: Scope,
  op: string,
  node: { readonly inputs: readonly string[]; readonly outputs: readonly string[] },
  { axis, picks, indices, updates, indexStrides, updateStrides }: Scattering,
): void {
  const result = resultOf(node)
  const x: Lazy = scope.lazy(operandOf(node))
  const { shape, dtype } = scope.info(result)
  const count = countOf(picks)
  if (count === 0) {
    scope.define(result, x)
    return
  }
  const out = scope.allocate(result)
  scope.define(result, out)
  const length = shape[axis] as number
  const [whereOver, addOver] = [
    over(indices, shape, indexStrides(shape.length)),
    over(updates, shape, updateStrides),
  ]
  const sources = viewsOf(x.tree)
  const index = (k: WgslWriter, at: Space, along: Space, [there, here]: readonly [View, View]) =>
    k.index(here, [...at.terms(there), ...along.terms(here)])
  if (countOf(shape) * count <= MOST_LOOKING) {
    scope.kernel(op, result, {
      items: shape,
      row: scope.row(result),
      length: count,
      cost: 3 * count + costOf(x.tree),
      write: ({ k, space, pass }) => {
        const at = space([...sources, out, whereOver, addOver], [axis])
        const own = k.hold('own', `i32(${at.coordinate(axis)})`)
        const total = pass.fold('total', sumOf(dtype), (p) => {
          const along = new Space(k, p, picks, [indices, updates])
          const where = k.load(indices, index(k, at, along, [whereOver, indices]))
          const update = k.load(updates, index(k, at, along, [addOver, updates]))
          const isHere = `${k.use('from_end')}(${where}, ${length}i) == ${own}`
          return `select(${dtype === 'int32' ? '0i' : '0.0f'}, ${update}, ${isHere})`
        })
        const before = scalarCode(k, x.tree, (view) => k.index(view, at.terms(view)))
        k.store(out, k.index(out, at.terms(out)), `${before} + ${total}`)
      },
    })
    return
  }
  const without = (list: readonly number[]) => list.filter((_, i) => i !== axis)
  const items = without(shape)
  const lane = (view: View): View => over(view, items, without(view.strides))
  scope.kernel(op, result, {
    items,
    row: positionOf(scope.row(result), [axis]),
    cost: 3 * (count + length),
    write: ({ k, space }) => {
      const lanes = new Map([...sources, out, whereOver, addOver].map((view) => [view, lane(view)]))
      const at = space([...lanes.values()])
      const terms = (view: View) => at.terms(lanes.get(view) as View)
      const l = k.loop('l', `${length}u`)
      const step = (view: View) => {
        const stride = view.strides[axis] as number
        return k.index(view, [...terms(view), ...(stride === 0 ? [] : [term(l, stride)])])
      }
      storeTree(k, out, step(out), x.tree, step)
      k.close()
      const p = k.loop('p', `${count}u`)
      const along = new Space(k, p, picks, [indices, updates])
      const where = k.load(indices, k.index(indices, [...terms(whereOver), ...along.terms(indices)]))
      const row = k.hold('row_at', `${k.use('from_end')}(${where}, ${length}i)`)
      k.open(`if (${row} >= 0i && ${row} < ${length}i)`)
      const to = k.hold('to', k.index(out, [...terms(out), term(`u32(${row})`, out.strides[axis] as number)]))
      const update = k.load(updates, k.index(updates, [...terms(addOver), ...along.terms(updates)]))
      k.store(out, to, `${k.load(out, to)} + ${update}`)
      k.close()
      k.close()
    },
  })
}
