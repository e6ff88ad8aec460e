/** Random graphs and gates as cases: a fixed seed, a few per case, so that a failure names a small part of the matrix. */
import type { ConformanceCase, ProcedureCase } from '../frame/case.js'
import { EXACT } from '../frame/case.js'
import { CaseFailure, DeclaredUnsupported } from '../frame/failure.js'
import type { Probe } from '../frame/probe.js'
import { fuzz as runFuzz } from './fuzz.js'

/** Seed of the suite's own graphs. */
export const SUITE_SEED = 20260504
/** Graphs per case. */
const PER_CASE = 8
/** Cases of each kind; together they make 200. */
const CASES = { graphs: 20, gates: 5 } as const

const NOTE = 'within the rounding error that analysis of the very graph and data allows'

async function check(probe: Probe, kind: 'graphs' | 'gates', part: number): Promise<void> {
  const first = part * PER_CASE
  const report = await runFuzz({ backend: probe.backend, graphs: PER_CASE, seed: SUITE_SEED, first, kind })
  const [failure] = report.failures
  if (failure) {
    throw new CaseFailure(
      `fuzz({ seed: ${failure.seed}, first: ${failure.index}, graphs: 1, kind: '${kind}' }): ${failure.message}\n${failure.counterexample}`,
    )
  }
  if (report.excluded === report.graphs)
    throw new DeclaredUnsupported('every graph of this case, by what its capabilities leave out')
  probe.worst = report.worst ?? undefined
  probe.check(report.compared > 0, 'no element of this case could be compared')
}

const casesOf = (kind: 'graphs' | 'gates'): ProcedureCase[] =>
  Array.from({ length: CASES[kind] }, (_, part) => ({
    kind: 'procedure',
    id: `fuzz/${kind}/${String(part).padStart(2, '0')}`,
    group: 'fuzz',
    seed: SUITE_SEED,
    tolerance: EXACT,
    note: NOTE,
    check: (probe) => check(probe, kind, part),
  }))

/** Cases of the group `fuzz`. */
export const fuzz = (): readonly ConformanceCase[] => [...casesOf('graphs'), ...casesOf('gates')]
