/**
 * Tables 2 and 3 of paper A (§4.2, `precision_gating`): a mixture of experts that differ in reliability alone, with and without
 * precision Π on its logits, where reliability stays and where it is swapped half-way; and, beyond the paper, how fast and how
 * steady Π is by the m of its moving average.
 */
import type { Experiment } from './experiment.js'
import { precisionBounds } from './precision/bounds.js'
import { precisionFigures } from './precision/figures.js'
import { precisionMetrics, precisionPublished } from './precision/metrics.js'
import { runPrecision } from './precision/run.js'
import {
  type PrecisionSettings,
  precisionConditions,
  precisionSettings,
  restorePrecision,
} from './precision/settings.js'
import { precisionTables } from './precision/tables.js'
import { summarizeRuns } from './summary.js'

const conditions = Object.keys(precisionConditions)

/** Tables 2 and 3. */
export const precisionGating: Experiment<PrecisionSettings> = {
  name: 'precision',
  title: 'Precision-weighted gating of experts that differ in reliability',
  source: 'arXiv 2605.00604, §4.2, Tables 2 and 3',
  metrics: precisionMetrics,
  conditions,
  settings: precisionSettings,
  restore: restorePrecision,
  cost: () => 1.9,
  amongAll: { seeds: 2 },
  run: runPrecision,
  summarize: (runs, settings) =>
    summarizeRuns(runs, settings, conditions, precisionMetrics, precisionPublished),
  bounds: precisionBounds,
  tables: precisionTables,
  figures: precisionFigures,
}
