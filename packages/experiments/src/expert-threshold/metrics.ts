/** What is measured of the policies. */
import { type Metrics, share, unlimited } from '../metric.js'

/**
 * Metrics of runs. Experts that choose are scored under Expert Threshold inference with the cutoffs of their training, as the paper
 * scores them; `lossChoice` and `routingChangedChoice` are those of expert choice itself, which looks at later tokens. `…Unseen`
 * is the source that no training saw, with cutoffs frozen.
 */
export const runMetrics = {
  loss: unlimited('loss (nats per byte)', 4),
  perplexity: unlimited('perplexity per byte', 3),
  lossChoice: unlimited('loss of expert choice', 4),
  imbalance: unlimited('max load / target, held-out text', 3),
  imbalanceTraining: unlimited('max load / target, end of training', 3),
  imbalanceUnseen: unlimited('max load / target, new source', 3),
  imbalanceAdapted: unlimited('the same, cutoffs adapted', 3),
  imbalanceRecalibrated: unlimited('the same, calibrated again', 3),
  lossUnseen: unlimited('loss, new source', 4),
  lossAdapted: unlimited('the same, cutoffs adapted', 4),
  lossRecalibrated: unlimited('the same, calibrated again', 4),
  cutoffsFollowed: share('cutoffs that moved as loads asked'),
  fanout: unlimited('routed experts per token', 3),
  fanoutSpread: unlimited('their standard deviation', 3),
  unrouted: share('tokens without a routed expert'),
  fanoutCorrelation: { label: 'correlation of experts and loss', range: [-1, 1] },
  fanoutHardMinusEasy: { ...unlimited('experts, hardest − easiest tenth', 3), scale: 1 },
  clamped: share('cutoffs clamped by capacity'),
  // One token that changes is a difference.
  routingChanged: { ...share('tokens routed otherwise in another batch'), scale: 0 },
  routingChangedChoice: share('the same, expert choice'),
  pairsPeak: unlimited('most pairs of a batch / mean', 3),
  expertFlops: { ...unlimited('FLOPs in experts per token', 0) },
  parameters: { ...unlimited('parameters', 0), exact: true },
} satisfies Metrics

/** Name of a run's metric. */
export type ExpertThresholdMetric = keyof typeof runMetrics

/** Metrics of runs, and `lossChange`: the loss minus that of `et` with the same seed. */
export const expertThresholdMetrics = {
  ...runMetrics,
  lossChange: { ...unlimited('loss − loss of et', 4), scale: 1 },
} satisfies Metrics
