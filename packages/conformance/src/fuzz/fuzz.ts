/** The fuzzer: random graphs and gates on a backend, held against rounding-error bounds on the float64 reference. */
import { type Backend, FepError, show } from '@fep-moe/core'
import type { Deviation } from '../frame/compare.js'
import { attempt, seedOf } from './attempt.js'
import type { Fragility } from './bounds/bounded.js'
import { randomGates } from './gates/subject.js'
import { randomGraphs } from './graphs/subject.js'
import type { Subject } from './subject.js'

/** What to run. */
export interface FuzzOptions {
  /** Used, not disposed. */
  readonly backend: Backend
  /** How many; an integer >= 1. Every tenth is a gate (a sequence, a stream or a training step), the rest are graphs. */
  readonly graphs: number
  /** A safe integer; the same seed gives the same graphs and feeds. */
  readonly seed: number
  /** Index of the first, default 0: `first: failure.index, graphs: 1` runs one failure again. */
  readonly first?: number
  /** What to draw: default `mixed`, see `graphs`. */
  readonly kind?: 'mixed' | 'graphs' | 'gates'
  /** Called after each, with the number of those that are done. */
  readonly onProgress?: (done: number, report: FuzzReport) => void
}

/** One failure, made as small as a bounded search made it. */
export interface FuzzFailure {
  /** The fuzzer's seed and the position that bring it back. */
  readonly seed: number
  readonly index: number
  /** fast-check's path from the first counterexample to the smallest. */
  readonly path: string
  /** The graph as text and its feeds, or the gate's configuration. */
  readonly counterexample: string
  readonly message: string
}

/** A decision that was too close to call. */
export interface FragileDecision extends Fragility {
  readonly index: number
}

/** What a run of the fuzzer found. Plain data. */
export interface FuzzReport {
  /** Those that ran. */
  readonly graphs: number
  readonly failed: number
  /**
   * Of those that did not fail: with elements that could not be compared, because they depend on a decision that rounding
   * may turn (a comparison, a rank, a truncation within its error of the boundary, a division by what may be zero), or on
   * a number beyond 1e30. All other elements were compared.
   */
  readonly fragile: number
  /** Those that hold an operator or dtype which the backend declares it does not have: nothing was run. */
  readonly excluded: number
  /** Elements held against a bound. */
  readonly compared: number
  /** Elements left out as fragile. */
  readonly skipped: number
  /** The element that came closest to its bound. A ratio near 1 is usual: one rounding may take all of half a unit. */
  readonly worst: Deviation | null
  /** The first 20. */
  readonly failures: readonly FuzzFailure[]
  /** The first 20, with the distance from the boundary and the error that the distance may have. */
  readonly decisions: readonly FragileDecision[]
}

/** Failures and decisions that a report lists; the rest is counted. */
const LISTED = 20
/** Every one of so many is a gate. */
const GATES = 10

type Mutable = {
  -readonly [K in keyof FuzzReport]: FuzzReport[K] extends readonly (infer T)[] ? T[] : FuzzReport[K]
}

/**
 * Runs random graphs and gates. What the backend does wrong is in the report, never thrown; a native runtime that ends
 * the process ends the fuzzer, too, and `onProgress` has told how far it came.
 *
 * Every result is compared with the float64 reference, element by element, within a bound that rounding analysis derives
 * for that very graph and data: half a unit in the last place per correctly rounded operation, γ_n for sums of n terms,
 * four units for elementary functions, and what the backend declares beyond that.
 * @throws FEP_BAD_ARGUMENT for a count or seed out of range
 * @example
 * const { failed, failures } = await fuzz({ backend: await myBackend(), graphs: 1000, seed: 7 })
 */
export async function fuzz({
  backend,
  graphs,
  seed,
  first = 0,
  kind = 'mixed',
  onProgress,
}: FuzzOptions): Promise<FuzzReport> {
  checkInteger('graphs', graphs, 1)
  checkInteger('seed', seed, Number.MIN_SAFE_INTEGER)
  checkInteger('first', first, 0)
  const report: Mutable = {
    graphs: 0,
    failed: 0,
    fragile: 0,
    excluded: 0,
    compared: 0,
    skipped: 0,
    worst: null,
    failures: [],
    decisions: [],
  }
  for (let index = first; index < first + graphs; index++) {
    const isGate = kind === 'gates' || (kind === 'mixed' && index % GATES === GATES - 1)
    if (isGate) await runOne(report, randomGates, backend, seed, index)
    else await runOne(report, randomGraphs, backend, seed, index)
    onProgress?.(index - first + 1, report)
  }
  return report
}

async function runOne<R>(
  report: Mutable,
  subject: Subject<R>,
  backend: Backend,
  seed: number,
  index: number,
): Promise<void> {
  const found = await attempt(subject, backend, seedOf(seed, index))
  report.graphs++
  if ('failure' in found) {
    report.failed++
    if (report.failures.length < LISTED) report.failures.push({ seed, index, ...found.failure })
    return
  }
  const { excluded, comparison, closest } = found.outcome
  if (excluded) report.excluded++
  report.compared += comparison.compared
  report.skipped += comparison.skipped
  if (comparison.worst && comparison.worst.ratio > (report.worst?.ratio ?? -1))
    report.worst = comparison.worst
  if (comparison.skipped === 0) return
  report.fragile++
  if (closest && report.decisions.length < LISTED) report.decisions.push({ index, ...closest })
}

function checkInteger(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `fuzz: ${name} is ${show(value)}; accepted: an integer >= ${least}`,
    )
}
