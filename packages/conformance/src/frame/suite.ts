/** The suite for test runners: every case becomes one test. */
import { type Backend, FepError } from '@fep-moe/core'
import { conformanceCases } from '../cases.js'
import { type ConformanceCase, GROUPS } from './case.js'
import { checkedExpectations } from './expectations.js'
import { type CaseResult, type ExpectedFailure, isBroken, type Report, summarize } from './result.js'
import { type RunOptions, selectCases } from './run.js'
import { runCase } from './run-case.js'

/** The two functions the suite needs of a test runner. vitest, jest, mocha, node:test and bun have them. */
export interface Runner {
  /** Groups tests. */
  describe(name: string, body: () => void): unknown
  /** Registers a test; `timeout` is in milliseconds. */
  it(name: string, body: () => Promise<void>, timeout?: number): unknown
}

/** Milliseconds until a case counts as hung. A software rasterizer compiles hundreds of kernels in some of them. */
const TIMEOUT = 240_000

/** Options of {@link conformance}. */
export interface SuiteOptions extends Omit<RunOptions, 'onResult'> {
  readonly runner: Runner
  /**
   * Runs a case somewhere else, in a page for instance. Default: here, on `backend`. Otherwise `backend` only says what
   * that executor is, and its disposal ends it.
   */
  readonly run?: (testCase: ConformanceCase, expected?: ExpectedFailure) => Promise<CaseResult>
  /** Receives the lane's report when all cases are over; what it throws fails the lane. */
  readonly report?: (report: Report) => unknown
}

/**
 * Registers the suite. A case in `expectedFailures` must fail, an id that no case has fails the lane, and so does a lane
 * in which nothing ran.
 * @example
 * import { conformance } from '@fep-moe/conformance'
 * import { describe, it } from 'vitest'
 *
 * conformance({ runner: { describe, it }, backend: () => myBackend() })
 */
export function conformance({ runner, backend: create, run, report, ...options }: SuiteOptions): void {
  const { describe, it } = runner
  let shared: Promise<Backend> | undefined
  const results: CaseResult[] = []
  const open = () => {
    shared ??= create()
    return shared
  }
  const runHere: SuiteOptions['run'] = async (testCase, expected) =>
    runCase(testCase, { backend: await open(), create }, expected)
  const register = (testCase: ConformanceCase, expected: ReturnType<typeof checkedExpectations>) =>
    it(
      testCase.id,
      async () => {
        const result = await (run ?? runHere)(testCase, expected.get(testCase.id))
        results.push(result)
        if (isBroken(result)) throw new Error(`${result.status}: ${result.message}`)
      },
      TIMEOUT,
    )
  describe('conformance', () => {
    let chosen: readonly ConformanceCase[]
    let expected: ReturnType<typeof checkedExpectations>
    try {
      expected = checkedExpectations(options.expectedFailures ?? [], options.cases ?? conformanceCases())
      chosen = selectCases(options)
    } catch (error) {
      // Registered as a test: runners report an error thrown here as a broken file, without its cause.
      it('is set up correctly', () => Promise.reject(error))
      return
    }
    for (const group of GROUPS) {
      const own = chosen.filter((c) => c.group === group)
      if (own.length > 0) {
        describe(group, () => {
          for (const testCase of own) register(testCase, expected)
        })
      }
    }
    it('ran, and its backend disposes', async () => {
      if (results.length === 0) throw new FepError('FEP_CONFORMANCE', 'the lane ran no case')
      const backend = await open()
      await backend.dispose()
      await report?.(summarize(backend, results))
    })
  })
}
