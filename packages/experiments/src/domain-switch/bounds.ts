/** The exact bounds of the stream as rows of a result and as a table. */
import type { Bound } from '../results.js'
import type { Table } from '../table.js'
import type { DomainSwitch } from '../tasks/domain-switch.js'
import { type DomainSwitchBounds, domainSwitchBounds } from '../tasks/domain-switch-bounds.js'

/** The bounds of settings. */
export function boundsOf(settings: DomainSwitch): DomainSwitchBounds {
  const { batch, steps, dim, experts, switchAt, noise, signal } = settings
  return domainSwitchBounds({ batch, steps, dim, experts, switchAt, noise, signal })
}

/** Bounds by name and metric: `stateless`, `nextToken`, `fullHistory` on `accuracyAll` and `accuracyTransition`. */
export const domainSwitchBoundRows = (settings: DomainSwitch): Bound[] =>
  Object.entries(boundsOf(settings)).flatMap(([name, { all, transition }]) => [
    { name, metric: 'accuracyAll', value: all },
    { name, metric: 'accuracyTransition', value: transition },
  ])

const SEES: Readonly<Record<keyof DomainSwitchBounds, string>> = {
  stateless: 'x_t only (stateless)',
  nextToken: 'x_{t+1} only (the oracle)',
  fullHistory: 'x_0..x_t and the step',
}

/** The table of the bounds. */
export function boundsTable(settings: DomainSwitch): Table {
  return {
    title: 'Exact bounds on accuracy, by what a gate sees',
    columns: ['sees', 'acc all', `acc t=${settings.switchAt - 1}`],
    rows: Object.entries(boundsOf(settings)).map(([name, { all, transition }]) => [
      SEES[name as keyof DomainSwitchBounds],
      all.toFixed(4),
      transition.toFixed(4),
    ]),
  }
}
