/** The ablation's figures over seeds: metrics, paired gains, the interaction, and what the abstract makes of them. */
import type { AblationCondition } from './ablation.js'
import {
  publishedGains,
  publishedInteractions,
  publishedMetrics,
  publishedRatios,
} from './ablation-published.js'
import { type DomainSwitchMetric, domainSwitchMetrics } from './domain-switch/run.js'
import type { DomainSwitchSettings } from './domain-switch/settings.js'
import { type Metrics, shareDifference, unlimited } from './metric.js'
import { type Run, type SummaryRow, summarizer } from './results.js'

/**
 * Metrics of runs, and those that compare conditions. Gains are over the baseline at the transition; ratios are to the
 * baseline's value; `…OracleShare` is the share of the oracle's gain.
 */
export const ablationMetrics = {
  ...domainSwitchMetrics,
  accuracyTransitionGain: shareDifference('gain in acc t=5', 'accuracy'),
  massTransitionGain: shareDifference('gain in mass t=5', 'mass'),
  accuracyTransitionInteraction: shareDifference('interaction in acc t=5', 'accuracy'),
  massTransitionInteraction: shareDifference('interaction in mass t=5', 'mass'),
  accuracyTransitionRatio: unlimited('acc t=5, times the baseline’s', 1, 'accuracy'),
  massTransitionRatio: unlimited('mass t=5, times the baseline’s', 1, 'mass'),
  accuracyTransitionOracleShare: {
    label: 'share of the oracle’s gain in acc t=5',
    range: null,
    scale: 1,
    measure: 'accuracy',
  },
  massTransitionOracleShare: {
    label: 'share of the oracle’s gain in mass t=5',
    range: null,
    scale: 1,
    measure: 'mass',
  },
} satisfies Metrics

const conditions = Object.keys(publishedMetrics) as AblationCondition[]
const others = conditions.filter((c) => c !== 'baseline')
const transitions = ['accuracyTransition', 'massTransition'] as const
type Transition = (typeof transitions)[number]

/** Everything over seeds, paired by seed where conditions meet. */
export function summarizeAblation(runs: readonly Run[], settings: DomainSwitchSettings): SummaryRow[] {
  const { seeds, quick, batch, epochs, scoredEpochs } = settings
  const byJob = new Map(runs.map((r) => [`${r.condition}/${r.seed}`, r.metrics]))
  const at = (condition: AblationCondition, metric: DomainSwitchMetric, seed: number): number =>
    (byJob.get(`${condition}/${seed}`) as Run['metrics'])[metric] as number
  const each = (value: (seed: number) => number) => seeds.map(value)
  const gain = (c: AblationCondition, metric: Transition, seed: number) =>
    at(c, metric, seed) - at('baseline', metric, seed)
  // A baseline that never hit is counted as one hit: a ratio to zero is no number.
  const oneHit = 1 / (batch * Math.min(epochs, scoredEpochs))
  const ratio = (c: AblationCondition, metric: Transition, seed: number) =>
    at(c, metric, seed) / Math.max(at('baseline', metric, seed), oneHit)
  const oracleShare = (c: AblationCondition, metric: Transition, seed: number) => {
    const whole = gain('oracle', metric, seed)
    return whole === 0 ? 0 : gain(c, metric, seed) / whole
  }
  const interaction = (metric: Transition, seed: number) =>
    gain('beta+ant', metric, seed) - gain('beta', metric, seed) - gain('ant', metric, seed)
  const { row } = summarizer(ablationMetrics, { compare: !quick })
  return [
    ...conditions.flatMap((c) =>
      (Object.keys(domainSwitchMetrics) as DomainSwitchMetric[]).map((m) =>
        row(
          c,
          m,
          each((s) => at(c, m, s)),
          publishedMetrics[c][m],
        ),
      ),
    ),
    ...transitions.flatMap((m) =>
      others.map((c) =>
        row(
          c,
          `${m}Gain`,
          each((s) => gain(c, m, s)),
          m === 'accuracyTransition' ? publishedGains[c] : null,
        ),
      ),
    ),
    ...transitions.flatMap((m) => [
      row(
        'beta+ant',
        `${m}Interaction`,
        each((s) => interaction(m, s)),
        publishedInteractions[m],
      ),
      ...(['beta', 'beta+ant', 'beta+pi+ant'] as const).flatMap((c) => [
        row(
          c,
          `${m}Ratio`,
          each((s) => ratio(c, m, s)),
          publishedRatios[c]?.[`${m}Ratio`],
        ),
        row(
          c,
          `${m}OracleShare`,
          each((s) => oracleShare(c, m, s)),
          publishedRatios[c]?.[`${m}OracleShare`],
        ),
      ]),
    ]),
  ]
}
