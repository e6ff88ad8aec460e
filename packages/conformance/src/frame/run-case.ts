/** Runs one case on one backend. */
import type { ConformanceCase } from './case.js'
import { declaredSlack } from './declared-accuracy.js'
import { execute } from './execute.js'
import { CaseFailure, DeclaredUnsupported } from './failure.js'
import { type Lane, Probe } from './probe.js'
import type { CaseResult, ExpectedFailure, Status } from './result.js'

declare const performance: { now(): number }

/**
 * Runs a case. Never throws for what the backend does wrong: the result says it.
 * @param expectedFailure the backend's entry for this case, where it has one
 */
export async function runCase(
  testCase: ConformanceCase,
  lane: Lane,
  expectedFailure?: ExpectedFailure,
): Promise<CaseResult> {
  const started = performance.now()
  const probe = new Probe(lane, testCase.tolerance)
  let status: Status = 'passed'
  let message = ''
  try {
    await execute(testCase, probe)
    if (probe.checks === 0) throw new CaseFailure('the case compared and checked nothing')
    // Costs several runs of the case on the reference; few cases need it.
    if (probe.exceeds) probe.settle(await declaredSlack(testCase, lane.backend.capabilities))
    message = probe.worst?.where ?? ''
    if (probe.worst && !(probe.worst.ratio <= 1)) throw new CaseFailure(probe.worst.where)
  } catch (error) {
    probe.settle()
    if (error instanceof DeclaredUnsupported)
      [status, message] = ['unsupported-negative', `refuses ${error.message}`]
    else [status, message] = ['failed', describe(error)]
  }
  if (expectedFailure) status = status === 'failed' ? 'expected-failure' : 'unexpected-pass'
  return {
    id: testCase.id,
    group: testCase.group,
    status,
    error: probe.worst?.error ?? null,
    tolerance: probe.worst?.tolerance ?? null,
    ratio: probe.worst?.ratio ?? null,
    message,
    ...(expectedFailure ? { expectedFailure } : {}),
    milliseconds: performance.now() - started,
  }
}

function describe(error: unknown): string {
  if (error instanceof CaseFailure) return error.message
  if (!(error instanceof Error)) return String(error)
  const { code } = error as { code?: string }
  return code ? `${code}: ${error.message}` : `${error.name}: ${error.message}`
}
