/** What runs measure, and names for it. */
import { type Metrics, share, unlimited } from '../metric.js'

const scored = {
  accuracyAll: share('accuracy', 'accuracy'),
  accuracySwitches: share('accuracy at switches', 'accuracy'),
  logLossAll: unlimited('log loss (nats)', 4),
  logLossSwitches: unlimited('log loss at switches (nats)', 3),
} satisfies Metrics

/** A metric of the router and of the filter, of which a share of the gap is made. */
export type ScoredMetric = keyof typeof scored

/** Names of {@link ScoredMetric}. */
export const scoredMetrics = Object.keys(scored) as ScoredMetric[]

const named = (prefix: string) => (metric: ScoredMetric) =>
  `${prefix}${metric[0]?.toUpperCase()}${metric.slice(1)}`

/** The filter's score on the same sequences. */
export const boundOf = named('bound')
/** (router − affinity) / (filter − affinity), by seed. */
export const gapOf = named('gap')
/** How much worse than the filter, by seed: accuracy that is missing, loss that is too much. */
export const shortOf = named('short')

/** Of the mixtures of `continual`: squared errors. */
export const continualMetrics = {
  errorAfterFirst: unlimited('error on the first domain after it', 4),
  errorAfterLast: unlimited('error on the first domain at the end', 4),
  forgetting: unlimited('forgetting: the difference', 4),
  errorEnd: unlimited('error on all domains at the end', 4),
  boundError: unlimited('least error of who infers the domain', 4),
} satisfies Metrics

/** A metric of the mixtures. */
export type ContinualMetric = keyof typeof continualMetrics

const about = (
  of: (metric: ScoredMetric) => string,
  change: (metric: ScoredMetric) => Metrics[string],
): Metrics => Object.fromEntries(scoredMetrics.map((metric) => [of(metric), change(metric)]))

/** All metrics. */
export const pastThePaperMetrics: Metrics = {
  ...scored,
  ...about(boundOf, (m) => ({ ...scored[m], label: `${scored[m].label}, bound` })),
  ...about(gapOf, (m) => unlimited(`share of the gap closed, ${scored[m].label}`, 3)),
  ...about(shortOf, (m) => unlimited(`${scored[m].label}, distance from the bound`, 4)),
  ...continualMetrics,
  parameters: { ...unlimited('parameters', 0), exact: true },
  state: { ...unlimited('numbers of state', 0), exact: true },
  flops: { ...unlimited('operations per token', 0), exact: true },
}
