/**
 * Tasks, exact bounds and the papers' tables, run on any backend that is passed in.
 * @packageDocumentation
 */
export {
  type AblationCondition,
  ablation,
  ablationConditions,
  openAblation,
} from './ablation.js'
export {
  publishedGains,
  publishedInteractions,
  publishedMetrics,
  publishedRatios,
} from './ablation-published.js'
export {
  type Baseline,
  type BaselineBatch,
  type BaselineEvaluator,
  type BaselineState,
  type BaselineStep,
  createBaseline,
  fitBaseline,
  type RouterCost,
} from './baselines/baseline.js'
export { type BaselineConfig, baselineKinds, type ResolvedBaseline } from './baselines/config.js'
export type { BaselineForm } from './baselines/graph.js'
export type { BetaRoutingSettings, TaskName } from './beta-routing/settings.js'
export { betaRouting } from './beta-routing.js'
export type { Claim, ClaimCheck, ClaimFile, ClaimRule, Verdict } from './claims/claim.js'
export { parseClaims } from './claims/claim.js'
export { type JudgedCheck, type JudgedClaim, judgeClaims } from './claims/judge.js'
export type { DomainSwitchMetric } from './domain-switch/run.js'
export type { DomainSwitchSettings } from './domain-switch/settings.js'
export type { DomainSwitchTraining } from './domain-switch/training.js'
export type { Experiment, ExperimentSettings, Job, Outcome, SettingsOverrides } from './experiment.js'
export { experiments, findExperiment } from './experiments.js'
export {
  type ExpertThresholdCondition,
  expertThresholdConditions,
} from './expert-threshold/conditions.js'
export type { ExpertThresholdMetric } from './expert-threshold/metrics.js'
export type { ByteModel, ByteModelResult } from './expert-threshold/model.js'
export type { ExpertThresholdSettings } from './expert-threshold/settings.js'
export type { TextBatch } from './expert-threshold/stream.js'
export {
  type ExpertThresholdStep,
  type ExpertThresholdTraining,
  openExpertThreshold,
} from './expert-threshold/training.js'
export { expertThreshold } from './expert-threshold.js'
export type { Axis, Figure, Mark, Panel, Point, Series } from './figure.js'
export {
  type LanguageModelCondition,
  languageModelConditions,
} from './language-model/conditions.js'
export { publishedBitsGained, publishedLanguageModel } from './language-model/published.js'
export type { LanguageModelMetric } from './language-model/run.js'
export { bitsPerStep, expertOfSecond } from './language-model/scoring.js'
export type { LanguageModelSettings } from './language-model/settings.js'
export { type LanguageModelTraining, openLanguageModel } from './language-model/training.js'
export { languageModel } from './language-model.js'
export type { Metric, Metrics } from './metric.js'
export { overhead } from './overhead.js'
export type { Contender, ContenderOptions, Evaluator, OpenContender } from './past-the-paper/contender.js'
export { contenders, filterBudget } from './past-the-paper/contenders.js'
export type { ComparedTask, PastThePaperSettings } from './past-the-paper/settings.js'
export { pastThePaper } from './past-the-paper.js'
export type { PrecisionSettings } from './precision/settings.js'
export { precisionGating } from './precision.js'
export {
  type Bound,
  disagreements,
  type Environment,
  parseResults,
  parseRun,
  type Results,
  type Run,
  type Summarizer,
  type SummaryRow,
  summarizer,
} from './results.js'
export type { RoutingEntropySettings } from './routing-entropy/settings.js'
export { routingEntropy } from './routing-entropy.js'
export { meanWeights, type Scores, scoreSteps } from './scoring.js'
export { sensitivity } from './sensitivity.js'
export {
  type Agreement,
  agree,
  type Estimate,
  estimate,
  LEAST_TOLERANCE,
  type Published,
  tolerance,
} from './statistics.js'
export { type SwitchingTextGate, switchingTextGates } from './switching-text/conditions.js'
export { openSwitchingText, type SwitchingTextTraining } from './switching-text/run.js'
export type { SwitchingTextSettings } from './switching-text/settings.js'
export { switchingText } from './switching-text.js'
export { agreementCell, formatEstimate, markdownTable, type Table, textTable } from './table.js'
export {
  type AlternatingAlphabets,
  type AlternatingAlphabetsBatch,
  type AlternatingAlphabetsStream,
  alternatingAlphabets,
  openAlternatingAlphabets,
  resolveAlternatingAlphabets,
} from './tasks/alternating-alphabets.js'
export {
  type AlternatingAlphabetsBounds,
  alternatingAlphabetsBits,
  alternatingAlphabetsBounds,
} from './tasks/alternating-alphabets-bounds.js'
export { type BoundedTask, boundedTasks, type SampledBound } from './tasks/bounded-tasks.js'
export {
  type ContinualBatch,
  type ContinualBound,
  type ContinualStream,
  type ContinualTask,
  continual,
  continualBound,
  openContinual,
  resolveContinual,
} from './tasks/continual.js'
export {
  type DomainSwitch,
  type DomainSwitchBatch,
  type DomainSwitchStream,
  domainSwitch,
  openDomainSwitch,
  resolveDomainSwitch,
} from './tasks/domain-switch.js'
export { type DomainSwitchBounds, domainSwitchBounds, type StepBound } from './tasks/domain-switch-bounds.js'
export {
  earlySignal,
  type LastStepBatch,
  type LastStepTask,
  lateSwitch,
  openLastStep,
} from './tasks/last-step.js'
export { bestDecay, type LastStepBounds, lastStepBounds, weightedAccuracy } from './tasks/last-step-bounds.js'
export { type NoisyExpertsBatch, type NoisyExpertsTask, openNoisyExperts } from './tasks/noisy-experts.js'
export { switchingBound } from './tasks/switching/bound.js'
export { type DurationLaw, uniformly } from './tasks/switching/durations.js'
export { type BayesRouting, bayesFilter } from './tasks/switching/filter.js'
export type { Sampled } from './tasks/switching/ratio.js'
export {
  type RoutingScore,
  type RoutingScorer,
  type RoutingScores,
  routingProbabilities,
  routingScorer,
} from './tasks/switching/scores.js'
export { openSwitching, type SwitchingBatch, type SwitchingStream } from './tasks/switching/stream.js'
export {
  type CueSettings,
  type ReliabilitySettings,
  resolveSwitching,
  type SwitchingTask,
} from './tasks/switching/task.js'
export { type SwitchingName, switchingTasks } from './tasks/switching/tasks.js'
export {
  openTwoAlphabets,
  resolveTwoAlphabets,
  type TwoAlphabets,
  type TwoAlphabetsBatch,
  type TwoAlphabetsStream,
  twoAlphabets,
} from './tasks/two-alphabets.js'
export {
  type TextBound,
  type TwoAlphabetsBounds,
  twoAlphabetsBits,
  twoAlphabetsBounds,
} from './tasks/two-alphabets-bounds.js'
