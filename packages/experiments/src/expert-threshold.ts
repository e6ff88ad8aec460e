/**
 * Expert Threshold routing (paper B) on real text: a small byte-level language model with a sparse layer, trained with every policy
 * from the same seeds. The paper's models have 575 million parameters and more; what is held against it are its claims, not its
 * numbers.
 */
import type { Experiment } from './experiment.js'
import { conditionNames } from './expert-threshold/conditions.js'
import { expertThresholdFigures } from './expert-threshold/figures.js'
import { expertThresholdMetrics } from './expert-threshold/metrics.js'
import { runExpertThreshold } from './expert-threshold/run.js'
import {
  type ExpertThresholdSettings,
  expertThresholdSettings,
  restoreExpertThreshold,
} from './expert-threshold/settings.js'
import { summarizeExpertThreshold } from './expert-threshold/summary.js'
import { expertThresholdTables } from './expert-threshold/tables.js'

/** The comparison of policies. */
export const expertThreshold: Experiment<ExpertThresholdSettings> = {
  name: 'expert-threshold',
  title: 'Expert Threshold routing beside token choice and expert choice, on text',
  source: 'arXiv 2603.11535; a model of our own size',
  metrics: expertThresholdMetrics,
  conditions: conditionNames,
  settings: expertThresholdSettings,
  restore: restoreExpertThreshold,
  cost: (condition) => (condition.startsWith('tc') ? 45 : condition.includes('unshared') ? 60 : 50),
  // Half an hour of two cores is more than all the others take.
  amongAll: { seeds: 0 },
  run: runExpertThreshold,
  summarize: summarizeExpertThreshold,
  bounds: () => [],
  tables: expertThresholdTables,
  figures: expertThresholdFigures,
}
