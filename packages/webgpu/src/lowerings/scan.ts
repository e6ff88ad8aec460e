/**
 * The general recurrence. Where the body is row-wise, each workgroup does all steps for one row of the batch; where a step
 * is little work, one workgroup does all; otherwise every kernel of the body is a dispatch at every step.
 */
import { countOf, expandComposites, type Graph, type NodeOf } from '@fep-moe/core'
import { type Lazy, lazyView, pickView, type RowAxis, rowAxesOf, type View } from '@fep-moe/core/lowering'
import { type Kernel, kernelsOf, type Phase } from '../ir/module.js'
import { lowerNode } from '../lower/lower-graph.js'
import { Scope } from '../lower/scope.js'
import type { Lowering } from './lowering.js'

/** Scalar operations of a step from which on a workgroup alone takes longer than the launches of many. */
const MOST_ALONE = 2 ** 18

/** A body whose rows can be apart. */
interface Rows {
  readonly body: Graph
  readonly axes: ReadonlyMap<string, RowAxis>
  readonly count: number
}

export const Scan: Lowering<'Scan'> = (scope, node) => {
  const { module } = scope
  const { states, xs, axis, reverse, batchAxis } = node.attrs
  const rows = module.isInside ? undefined : rowsOf(scope, node)
  const body = rows?.body ?? expandComposites(node.attrs.body)
  const row = rows ? (batchAxis as number) : undefined
  const initial = node.inputs.slice(0, states).map((name) => scope.lazy(name))
  const slices = node.inputs.slice(states, states + xs).map((name) => scope.view(name))
  const consts = node.inputs.slice(states + xs).map((name) => scope.lazy(name))
  const carried = node.outputs.slice(0, states).map((name) => scope.allocate(name))
  const ys = node.outputs.slice(states).map((name) => scope.allocate(name))
  for (const [i, name] of node.outputs.entries()) scope.define(name, [...carried, ...ys][i] as View)
  const label = `${node.outputs.join(', ')}: Scan`
  const steps = slices[0]?.shape[axis] as number
  const variable = module.variable()
  const now = (view: View) => pickView(view, axis, variable)

  // Each state has a place of its own: the initial value is copied there, and so is what every step leaves.
  const before = module.collect(() => {
    for (const [i, state] of carried.entries())
      scope.storeLazy(`${label}, initial state`, state, initial[i] as Lazy, row)
  }, true)
  if (steps === 0) return module.append(...before)

  const inner = new Scope(module, body, rows?.axes)
  const given = [...carried, ...slices.map(now)].map(lazyView).concat(consts)
  body.inputs.forEach((name, i) => {
    inner.define(name, given[i] as Lazy)
  })
  const moving = lowerFixed(inner, body, states + xs)
  const inside = module.collect(() => {
    for (const each of moving) lowerNode(inner, each)
    const results = body.outputs.map(({ value }) => value)
    for (const [i, y] of ys.entries()) {
      const name = results[states + i] as string
      inner.storeLazy(name, now(y), inner.lazy(name), row)
    }
    // All next states are known before the first one is overwritten.
    const next = carried.map((_, i) => nextState(inner, results[i] as string, carried))
    for (const [i, state] of carried.entries())
      inner.storeLazy(`${label}, next state`, state, lazyView(next[i] as View), row)
  }, true)

  const loop = { kind: 'loop', variable, steps, reverse } as const
  const isLittle = kernelsOf(inside).reduce((n, { items, cost }) => n + items * cost, 0) <= MOST_ALONE
  if (module.isInside) module.append(...before, { ...loop, body: inside })
  else if (rows || isLittle)
    module.append({
      kind: 'block',
      label,
      before: before as Kernel[],
      loop: { ...loop, body: inside as Phase[] },
      rows: rows?.count ?? 1,
    })
  else module.append(...before, { ...loop, body: inside })
}

/**
 * Lowers what is the same at every step, once, before the loop.
 * @param varying number of inputs of the body that differ from step to step
 * @returns the other nodes
 */
function lowerFixed(inner: Scope, body: Graph, varying: number): Graph['nodes'] {
  const moving = new Set(body.inputs.slice(0, varying))
  const rest = body.nodes.filter((node) => {
    const isFixed = node.inputs.every((name) => !moving.has(name))
    if (isFixed) lowerNode(inner, node)
    else for (const name of node.outputs) moving.add(name)
    return !isFixed
  })
  // An expression that every step would compute anew is computed here.
  const read = [...rest.flatMap(({ inputs }) => inputs), ...body.outputs.map(({ value }) => value)]
  for (const name of new Set(read))
    if (!moving.has(name) && inner.lazy(name).tree.kind === 'apply') inner.materialize(name)
  return rest
}

/** A next state outside the places of the present ones. */
function nextState(inner: Scope, name: string, carried: readonly View[]): View {
  const view = inner.view(name)
  return carried.some(({ buffer }) => buffer === view.buffer) ? inner.materialize(name) : view
}

/** The rows of a batch where a workgroup can have each; undefined where states, slices or results are without. */
function rowsOf(scope: Scope, node: NodeOf<'Scan'>): Rows | undefined {
  const { batchAxis, states, xs, body: given } = node.attrs
  if (batchAxis === null) return undefined
  const count = given.values[given.inputs[0] as string]?.shape[batchAxis]
  if (typeof count !== 'number' || count < 2) return undefined
  const { body, axes } = rowAxesOf(node)
  const hasRows = (name: string, axis: RowAxis | undefined) => {
    const { shape } = body.values[name] as { shape: readonly number[] }
    return typeof axis === 'number' && shape[axis] === count
  }
  const isSplit =
    body.inputs.slice(0, states + xs).every((name) => hasRows(name, batchAxis)) &&
    body.outputs.every(({ value }) => hasRows(value, batchAxis)) &&
    [...axes].every(([name, axis]) => axis === 'none' || hasRows(name, axis)) &&
    body.nodes.every(({ op }) => op !== 'Scan') &&
    countOf(scope.info(node.inputs[states] as string).shape) > 0
  return isSplit ? { body, axes, count } : undefined
}
