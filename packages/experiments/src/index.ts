/**
 * Tasks, exact bounds and the papers' tables, run on any backend that is passed in.
 * @packageDocumentation
 */
export {
  type AblationCondition,
  type AblationSettings,
  type AblationTraining,
  ablation,
  ablationConditions,
  openAblation,
} from './ablation.js'
export {
  type AblationMetric,
  publishedGains,
  publishedInteractions,
  publishedMetrics,
} from './ablation-published.js'
export type { Experiment, ExperimentSettings, Job, SettingsOverrides } from './experiment.js'
export { experiments, findExperiment } from './experiments.js'
export {
  disagreements,
  type Environment,
  parseResults,
  type Results,
  type Run,
  type SummaryRow,
  summaryRow,
} from './results.js'
export { type Scores, scoreSteps } from './scoring.js'
export { agree, type Estimate, estimate, LEAST_TOLERANCE, type Published, tolerance } from './statistics.js'
export { formatEstimate, markdownTable, type Table, textTable } from './table.js'
export {
  type DomainSwitch,
  type DomainSwitchBatch,
  type DomainSwitchStream,
  domainSwitch,
  openDomainSwitch,
  resolveDomainSwitch,
} from './tasks/domain-switch.js'
export { type DomainSwitchBounds, domainSwitchBounds, type StepBound } from './tasks/domain-switch-bounds.js'
