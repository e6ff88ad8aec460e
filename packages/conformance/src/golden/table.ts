/** Every case of the group `golden`: one per stored case, under its name. */
import { EXACT, type ProcedureCase } from '../frame/case.js'
import type { Probe } from '../frame/probe.js'
import { RTOL, vectorIndex } from '../vectors/index.js'
import { checkGoldenGate } from './gate-case.js'
import { checkCoverage, checkMetrics, checkRouters, checkTracker } from './pure-case.js'
import { checkLeak, checkSkillGate } from './skill-case.js'
import type { VectorEntry } from './vectors.js'

function procedureOf(id: string): (entry: VectorEntry, probe: Probe) => Promise<void> {
  if (id.startsWith('A1.pitracker') || id.startsWith('A3.precision_tracker')) return checkTracker
  if (id.startsWith('A3.routers')) return checkRouters
  if (id.startsWith('A6.k99')) return checkCoverage
  if (id.startsWith('S0.lif')) return checkLeak
  if (id.startsWith('S0.gate')) return checkSkillGate
  if (id.startsWith('A6.metrics')) return checkMetrics
  return checkGoldenGate
}

/** See the file's header. */
export const golden = (): ProcedureCase[] =>
  vectorIndex.map((entry) => ({
    kind: 'procedure',
    id: `golden/${entry.id}`,
    group: 'golden',
    tolerance: { ...EXACT, rtol: RTOL },
    note: 'atol per tensor: 16 times the float32-float64 gap of the code that made it, at least 2e-6 of its largest value',
    check: (probe) => procedureOf(entry.id)(entry, probe),
  }))
