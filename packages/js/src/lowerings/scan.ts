/** The general recurrence: the body's kernels once per step, on slices of xs and ys and on states in memory. */

import { type Lazy, lazyView, pickView, type View } from '@fep-moe/core/lowering'
import { emitStore } from '../emit/store.js'
import { lowerBody } from '../lower/lower-graph.js'
import type { Scope } from '../lower/scope.js'
import type { Lowering } from './lowering.js'

export const Scan: Lowering<'Scan'> = (scope, node) => {
  const { body, states, xs, axis, reverse } = node.attrs
  const initial = node.inputs.slice(0, states).map((name) => scope.lazy(name))
  const slices = node.inputs.slice(states, states + xs).map((name) => scope.view(name))
  const consts = node.inputs.slice(states + xs).map((name) => scope.view(name))
  const carried = node.outputs.slice(0, states).map((name) => scope.allocate(name))
  const ys = node.outputs.slice(states).map((name) => scope.allocate(name))
  const label = node.outputs.join(', ')
  // Each state has a place of its own: the initial value is copied there, and so is what every step leaves.
  scope.kernel('Scan, initial states', label, (k) => {
    for (const [i, state] of carried.entries()) emitStore(k, state, initial[i] as Lazy)
  })
  const steps = slices[0]?.shape[axis] as number
  if (steps > 0)
    scope.module.loop(steps, reverse, (t) => {
      const now = (view: View) => pickView(view, axis, t)
      const inner = lowerBody(scope.module, body, [...carried, ...slices.map(now), ...consts].map(lazyView))
      const results = inner.graph.outputs.map(({ value }) => value)
      for (const [i, y] of ys.entries()) inner.store(results[states + i] as string, now(y))
      // All next states are known before the first one is overwritten.
      const next = carried.map((_, i) => nextState(inner, results[i] as string, carried))
      scope.kernel('Scan, next states', label, (k) => {
        for (const [i, state] of carried.entries()) emitStore(k, state, lazyView(next[i] as View))
      })
    })
  for (const [i, name] of node.outputs.entries()) scope.define(name, [...carried, ...ys][i] as View)
}

/** A next state outside the places of the present ones. */
function nextState(inner: Scope, name: string, carried: readonly View[]): View {
  const view = inner.view(name)
  return carried.some(({ buffer }) => buffer === view.buffer) ? inner.materialize(name) : view
}
