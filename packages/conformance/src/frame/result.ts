/** What running cases gives: plain data, ready for JSON. */
import type { Backend, Capabilities } from '@fep-moe/core'
import type { Group } from './case.js'
import { GROUPS } from './case.js'

/**
 * - `passed`, `failed`: as they say.
 * - `expected-failure`: failed, and the backend's list said so.
 * - `unexpected-pass`: passed, though the list says it fails. This fails the run, so that the list stays true.
 * - `unsupported-negative`: the backend declares that it cannot run the case, and refused it as it must.
 */
export type Status = 'passed' | 'failed' | 'expected-failure' | 'unexpected-pass' | 'unsupported-negative'

/** A failure that is known, accepted for now, and written down. */
export interface ExpectedFailure {
  /** Exact case id. */
  readonly id: string
  /** Why it fails, in a sentence. */
  readonly reason: string
  /** Where it is being followed: an issue, a specification, a driver's bug report. */
  readonly link: string
}

/** The outcome of one case. */
export interface CaseResult {
  readonly id: string
  readonly group: Group
  readonly status: Status
  /** Error of the element that used up most of its tolerance; null where nothing was compared. */
  readonly error: number | null
  /** What that error may be. */
  readonly tolerance: number | null
  /** error / tolerance (infinity becomes null in JSON). */
  readonly ratio: number | null
  /** What went wrong, or which element came closest. */
  readonly message: string
  readonly expectedFailure?: ExpectedFailure
  readonly milliseconds: number
}

/** Number of cases per status. */
export type Counts = Readonly<Record<Status, number>>

/** The outcome of a run. */
export interface Report {
  readonly schemaVersion: 1
  readonly backend: string
  readonly specVersion: number
  readonly capabilities: Capabilities
  /** No case failed and none passed unexpectedly. */
  readonly ok: boolean
  readonly counts: Counts
  /** One row of the published matrix: backend × group. Groups that did not run are missing. */
  readonly groups: Readonly<Partial<Record<Group, Counts>>>
  readonly results: readonly CaseResult[]
}

function count(results: readonly CaseResult[]): Counts {
  const counts = {
    passed: 0,
    failed: 0,
    'expected-failure': 0,
    'unexpected-pass': 0,
    'unsupported-negative': 0,
  }
  for (const { status } of results) counts[status]++
  return counts
}

/** True for results that must fail a build. */
export const isBroken = ({ status }: CaseResult): boolean =>
  status === 'failed' || status === 'unexpected-pass'

/** Sums up results. */
export function summarize(
  backend: Pick<Backend, 'name' | 'specVersion' | 'capabilities'>,
  results: readonly CaseResult[],
): Report {
  const groups: Partial<Record<Group, Counts>> = {}
  for (const group of GROUPS) {
    const own = results.filter((r) => r.group === group)
    if (own.length > 0) groups[group] = count(own)
  }
  const { name, specVersion, capabilities } = backend
  return {
    schemaVersion: 1,
    backend: name,
    specVersion,
    capabilities,
    ok: !results.some(isBroken),
    counts: count(results),
    groups,
    results,
  }
}
