/** One emitter per operator: the compiler names the one that has none. */
import { type Capabilities, expandComposites, type Graph, type OpName } from '@fep-moe/core'
import { Assembly, Picks } from './assembly.js'
import { elementwise } from './elementwise.js'
import type { Emitter } from './emitter.js'
import { indexing } from './indexing.js'
import { layout } from './layout.js'
import { products } from './products.js'
import type { Step } from './recipe.js'
import { recurrencesWith } from './recurrences.js'
import { reductions } from './reductions.js'

/** Elementwise in all their operands: what a row-wise body may hold. */
const ROW_WISE: readonly OpName[] = [
  'Neg',
  'Exp',
  'Log',
  'Sqrt',
  'Tanh',
  'Sigmoid',
  'Erf',
  'Sin',
  'Cos',
  'Relu',
  'Gelu',
  'Silu',
  'Softplus',
  'Clip',
  'StopGradient',
  'Add',
  'Sub',
  'Mul',
  'Max',
  'Min',
  'Greater',
  'Where',
]

/** Every operator's emitter. */
export const emitters: Readonly<Record<OpName, Emitter>> = {
  ...elementwise,
  ...layout,
  ...reductions,
  ...indexing,
  ...products,
  ...recurrencesWith(emitBody),
}

const NAMES = Object.keys(emitters) as OpName[]

/** A body holds no recurrence of its own: nested ones would be large before they are interesting. */
const IN_BODY = NAMES.filter((op) => op !== 'Scan')

function emitBody(assembly: Assembly, steps: Step['body'], rowWise: boolean): void {
  for (const { emit, picks } of steps)
    emitFrom(rowWise ? ROW_WISE : IN_BODY, assembly, { emit, picks, body: [] })
}

/** Carries out one instruction. */
export const emitStep = (assembly: Assembly, step: Step): void => emitFrom(NAMES, assembly, step)

function emitFrom(names: readonly OpName[], assembly: Assembly, step: Step): void {
  const available = names.filter((op) => !assembly.excluded.has(op))
  if (available.length === 0) return
  const op = available[step.emit % available.length] as OpName
  emitters[op](assembly, new Picks(step.picks), step)
}

/** Numbers that take an emitter through most of its branches. */
const PROBES = [0, 3, 719].map((n) => new Array<number>(8).fill(n))

/**
 * Operators that a backend cannot be given: those it lacks, and those whose emitter or definition needs one it lacks.
 * What slips through (a gradient that needs one) is left out as a whole graph.
 */
export function excludedBy({ unsupported, composites }: Capabilities): ReadonlySet<OpName> {
  if (unsupported.length === 0) return new Set()
  const needs = (op: OpName, picks: readonly number[]): boolean => {
    const assembly = new Assembly('probe', [2, 3, 4], new Set())
    emitters[op](assembly, new Picks(picks), { emit: 0, picks, body: [] })
    return holdsAny(
      expandComposites(assembly.builder.build(), (name) => composites.includes(name)),
      unsupported,
    )
  }
  return new Set(NAMES.filter((op) => unsupported.includes(op) || PROBES.some((picks) => needs(op, picks))))
}

const holdsAny = (graph: Graph, unsupported: readonly OpName[]): boolean =>
  graph.nodes.some(
    (node) => unsupported.includes(node.op) || (node.op === 'Scan' && holdsAny(node.attrs.body, unsupported)),
  )
