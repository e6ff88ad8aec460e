/** What was published about the ablation: arXiv 2605.00604, Tables 4 and 5, means over seeds 42..46. */
import type { AblationCondition } from './ablation.js'
import type { DomainSwitchMetric } from './domain-switch/run.js'
import type { Published } from './statistics.js'

const paper = (mean: number, std: number | null = null): Published => ({ mean, std, n: 5, source: 'paper' })

/** The paper prints no gate mass. These are from runs of its own PyTorch code with the same five seeds. */
const prototype = (mean: number, std: number | null = null): Published => ({
  mean,
  std,
  n: 5,
  source: 'prototype',
})

/** By condition and metric. A spread that was not printed is below its last digit: null. */
export const publishedMetrics: Readonly<
  Record<AblationCondition, Readonly<Partial<Record<DomainSwitchMetric, Published>>>>
> = {
  baseline: {
    accuracyAll: paper(0.904),
    accuracyTransition: paper(0.006),
    massTransition: prototype(0.122, 0.001),
    k99Accuracy: paper(765),
  },
  beta: {
    accuracyAll: paper(0.863, 0.007),
    accuracyTransition: paper(0.301, 0.013),
    massTransition: prototype(0.363, 0.008),
  },
  pi: { accuracyAll: paper(0.904), accuracyTransition: paper(0.006) },
  ant: { accuracyAll: paper(0.904), accuracyTransition: paper(0.006), massTransition: prototype(0.099) },
  'beta+pi': { accuracyAll: paper(0.847, 0.014), accuracyTransition: paper(0.299, 0.01) },
  'beta+ant': {
    accuracyAll: paper(0.957),
    accuracyTransition: paper(0.748, 0.002),
    // biome-ignore lint/suspicious/noApproximativeNumericConstant: a measurement, not ln 2
    massTransition: prototype(0.693, 0.003),
  },
  'pi+ant': { accuracyAll: paper(0.904), accuracyTransition: paper(0.006) },
  'beta+pi+ant': { accuracyAll: paper(0.956), accuracyTransition: paper(0.744, 0.002) },
  oracle: { accuracyAll: paper(0.994), accuracyTransition: paper(0.994), massTransition: prototype(0.976) },
}

/** Accuracy at the transition minus the baseline's, paired by seed. */
export const publishedGains: Readonly<Partial<Record<AblationCondition, Published>>> = {
  beta: paper(0.295, 0.013),
  pi: paper(0),
  ant: paper(0, 0.001),
  'beta+pi': paper(0.293, 0.01),
  'beta+ant': paper(0.741, 0.002),
  'pi+ant': paper(0, 0.001),
  'beta+pi+ant': paper(0.738, 0.003),
  oracle: paper(0.988, 0.001),
}

/** Gain of β + Ant beyond the sum of their gains, paired by seed. */
export const publishedInteractions = {
  accuracyTransition: paper(0.446, 0.014),
  massTransition: prototype(0.355),
} as const

/** What the paper's abstract and its code's outputs make of these figures. */
export const publishedRatios: Readonly<
  Partial<Record<AblationCondition, Readonly<Record<string, Published>>>>
> = {
  'beta+ant': {
    accuracyTransitionRatio: paper(124),
    massTransitionRatio: prototype(5.7),
    accuracyTransitionOracleShare: paper(0.75),
    massTransitionOracleShare: prototype(0.67),
  },
}
