/** Every case of the group `golden`: one per stored case, under its name. */
import { EXACT, type ProcedureCase } from '../frame/case.js'
import type { Probe } from '../frame/probe.js'
import { RTOL, vectorIndex } from '../vectors/index.js'
import { checkGoldenGate } from './gate-case.js'
import { checkLanguageModel } from './language-model-case.js'
import { checkCosineLayer, checkLayer, checkLayerTraining, checkTokenChoiceLayer } from './layer-case.js'
import { checkMixture, checkSkillMixture } from './mixture-case.js'
import {
  checkAverage,
  checkBias,
  checkCalibration,
  checkCosine,
  checkEngine,
  checkTokenChoice,
} from './policy-case.js'
import { checkCoverage, checkMetrics, checkRouters, checkTracker } from './pure-case.js'
import { checkLeak, checkSkillGate } from './skill-case.js'
import type { VectorEntry } from './vectors.js'

/** The policy alone, and in its layer. */
const both =
  (first: typeof checkTokenChoice, second: typeof checkTokenChoice) =>
  async (entry: VectorEntry, probe: Probe): Promise<void> => {
    await first(entry, probe)
    await second(entry, probe)
  }

function procedureOf(id: string): (entry: VectorEntry, probe: Probe) => Promise<void> {
  if (id.startsWith('A1.pitracker') || id.startsWith('A3.precision_tracker')) return checkTracker
  if (id.startsWith('A3.routers')) return checkRouters
  if (id.startsWith('A6.k99')) return checkCoverage
  if (id.startsWith('S0.lif')) return checkLeak
  if (id.startsWith('S0.gate')) return checkSkillGate
  if (id.startsWith('S0.betamoe')) return checkSkillMixture
  if (id.startsWith('A3.moe')) return checkMixture
  if (id.startsWith('A5.')) return checkLanguageModel('plain')
  if (id.startsWith('A6.metrics')) return checkMetrics
  if (id.startsWith('B1.') || id.startsWith('B2.')) return checkEngine
  if (id.startsWith('B3.')) return checkAverage
  if (id.startsWith('B4.')) return checkLayer
  if (id.startsWith('B5.')) return checkLayerTraining
  if (id.startsWith('B6.')) return both(checkTokenChoice, checkTokenChoiceLayer)
  if (id.startsWith('B7.')) return checkBias
  if (id.startsWith('S4.init')) return checkCalibration
  if (id.startsWith('S4.layer')) return both(checkCosine, checkCosineLayer)
  if (id.startsWith('S4.')) return checkCosine
  return checkGoldenGate
}

/** See the file's header. */
export const golden = (): ProcedureCase[] => [
  ...vectorIndex.map((entry) => goldenCase(entry.id, entry, procedureOf(entry.id))),
  ...vectorIndex
    .filter(({ id }) => id.startsWith('A5.'))
    .map((entry) => goldenCase(`${entry.id}/tables`, entry, checkLanguageModel('tables'))),
]

const goldenCase = (
  id: string,
  entry: VectorEntry,
  check: (entry: VectorEntry, probe: Probe) => Promise<void>,
): ProcedureCase => ({
  kind: 'procedure',
  id: `golden/${id}`,
  group: 'golden',
  tolerance: { ...EXACT, rtol: RTOL },
  note: 'atol per tensor: 16 times the float32-float64 gap of the code that made it, at least 2e-6 of its largest value',
  check: (probe) => check(entry, probe),
})
