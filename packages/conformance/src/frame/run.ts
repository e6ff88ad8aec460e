/** Runs the suite without a test runner: for command lines, browsers, reports. */
import { type Backend, FepError } from '@fep-moe/core'
import { conformanceCases } from '../cases.js'
import type { ConformanceCase, Group } from './case.js'
import { checkedExpectations } from './expectations.js'
import type { Lane } from './probe.js'
import { type CaseResult, type ExpectedFailure, type Report, summarize } from './result.js'
import { runCase } from './run-case.js'

/** What to run, on what. */
export interface RunOptions {
  /** Makes an instance of the backend. Called once for most cases, and again for those that dispose it. */
  readonly backend: () => Promise<Backend>
  /** Default: all. */
  readonly groups?: readonly Group[]
  /** Known failures of this backend; they are strict, see {@link ExpectedFailure}. */
  readonly expectedFailures?: readonly ExpectedFailure[]
  /** Called after every case, in order. */
  readonly onResult?: (result: CaseResult) => void
  /** Cases of your own instead of the suite's. */
  readonly cases?: readonly ConformanceCase[]
}

/** The cases that a choice of groups leaves. @throws FEP_CONFORMANCE where it leaves none */
export function selectCases({
  groups,
  cases = conformanceCases(),
}: Pick<RunOptions, 'groups' | 'cases'>): readonly ConformanceCase[] {
  const chosen = groups ? cases.filter((c) => groups.includes(c.group)) : cases
  if (chosen.length === 0) {
    throw new FepError(
      'FEP_CONFORMANCE',
      `the lane runs no case at all${groups ? ` (groups: ${groups.join(', ') || 'none'})` : ''}`,
    )
  }
  return chosen
}

/**
 * Runs the suite and sums it up. What a backend does wrong is in the report, never thrown.
 * @throws FEP_CONFORMANCE for an unknown id in `expectedFailures`, or where nothing would run
 * @example
 * const report = await runConformance({ backend: () => referenceBackend(), groups: ['operators'] })
 * if (!report.ok) process.exitCode = 1
 */
export async function runConformance(options: RunOptions): Promise<Report> {
  const expected = checkedExpectations(options.expectedFailures ?? [], options.cases ?? conformanceCases())
  const chosen = selectCases(options)
  const backend = await options.backend()
  const lane: Lane = { backend, create: options.backend }
  const results: CaseResult[] = []
  try {
    for (const testCase of chosen) {
      const result = await runCase(testCase, lane, expected.get(testCase.id))
      results.push(result)
      options.onResult?.(result)
    }
  } finally {
    await backend.dispose()
  }
  return summarize(backend, results)
}
