/** What a conformance case is. Cases are data with an id; how they run is `run-case.ts`. */
import type { Graph, Tensor } from '@fep-moe/core'
import type { Probe } from './probe.js'

/** The groups of cases, in the order in which they run. */
export const GROUPS = [
  'operators',
  'official',
  'gradients',
  'golden',
  'gates',
  'properties',
  'fuzz',
  'non-finite',
  'lifecycle',
] as const

/** A group's name. */
export type Group = (typeof GROUPS)[number]

/**
 * How far a float32 result may be off: |got − want| ≤ atol + rtol · |want|. Results of other dtypes are compared exactly,
 * whatever the tolerance says.
 */
export interface Tolerance {
  readonly atol: number
  readonly rtol: number
}

/** Not one bit off (zeros of either sign are equal). */
export const EXACT: Tolerance = { atol: 0, rtol: 0 }

interface CaseBase {
  /** `group/subject/what`; stable, because expected failures name it. */
  readonly id: string
  readonly group: Group
  /** Seed of generated data, where there is any. */
  readonly seed?: number
  /** Default for every comparison of the case. */
  readonly tolerance: Tolerance
  /** Why the tolerance is wider than the rule that gives the others, or what the case is about. */
  readonly note?: string
}

/** One set of feeds and what must come out. */
export interface GraphRun {
  readonly feeds: Readonly<Record<string, Tensor>>
  /** Outputs to compare, by name; outputs not named here are not compared. */
  readonly expected: Readonly<Record<string, Tensor>>
  /** Tolerances of single outputs; the case's tolerance holds for the rest. */
  readonly tolerance?: Readonly<Record<string, Tolerance>>
}

/** A graph, feeds and expected results: all that an executor needs to know. */
export interface GraphCase extends CaseBase {
  readonly kind: 'graph'
  /** Builds the graph. */
  graph(): Graph
  /** Runs of the one compiled program, in order. */
  runs(): readonly GraphRun[]
}

/** A case that has to do something: dispose, run twice, train, stream. */
export interface ProcedureCase extends CaseBase {
  readonly kind: 'procedure'
  /** Does it, and reports through the probe what is wrong. */
  check(probe: Probe): Promise<void>
}

/** A conformance case. */
export type ConformanceCase = GraphCase | ProcedureCase
