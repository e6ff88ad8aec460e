/** What is written down while a model trains. */
import { cutoffsOf } from '@fep-moe/core/policies'
import { mean } from '../language-model/scoring.js'
import { blockMeans, blockOf, shorten } from '../series.js'
import type { ExpertThresholdMetric } from './metrics.js'
import { imbalanceOf, sumLoads } from './scoring.js'
import type { ExpertThresholdSettings } from './settings.js'
import { shareOf } from './target.js'
import type { ExpertThresholdStep, ExpertThresholdTraining } from './training.js'

/** Metrics and series, as far as a part of a run knows them. */
export interface Found {
  readonly metrics: Readonly<Partial<Record<ExpertThresholdMetric, number>>>
  readonly series: Readonly<Record<string, readonly number[]>>
}

/** A training that is watched. */
export interface Trace {
  /** Reads what a step returned, before the next one. */
  add(step: ExpertThresholdStep): Promise<void>
  finish(): Found
}

/** Watches a training from its first step on. */
export function openTrace(training: ExpertThresholdTraining, settings: ExpertThresholdSettings): Trace {
  const { epochs, batch, steps, warmUp } = settings
  const { policy } = training.model.layer
  const block = blockOf(epochs)
  const tokens = batch * steps
  const target = shareOf(policy)
  const losses: number[] = []
  const loads: (readonly number[])[] = []
  const clamps: number[] = []
  const cutoffs: number[][] = []
  const hasCutoffs = policy.kind === 'threshold' || policy.kind === 'expert-choice'
  const imbalance = (list: readonly (readonly number[])[]) =>
    imbalanceOf(sumLoads(list), list.length * tokens, target)
  return {
    add: async (step) => {
      losses.push(await step.task())
      loads.push(await step.load())
      if (policy.kind === 'threshold') clamps.push(mean(await step.clamped()))
      if (hasCutoffs && (losses.length % block === 0 || losses.length === epochs))
        cutoffs.push(cutoffsOf(policy, await training.state()).sort((a, b) => a - b))
    },
    finish: () => {
      const blocks = Array.from({ length: Math.ceil(epochs / block) }, (_, i) =>
        loads.slice(i * block, (i + 1) * block),
      )
      const last = loads.slice(-Math.max(1, Math.floor(epochs / 10)))
      const steady = clamps.slice(policy.kind === 'threshold' && policy.warmUp > 0 ? warmUp : 0)
      const at = (share: number) => cutoffs.map((c) => c[Math.floor(share * (c.length - 1))] as number)
      return {
        metrics: {
          imbalanceTraining: imbalance(last),
          ...(steady.length > 0 && { clamped: mean(steady) }),
        },
        series: {
          trainingLoss: shorten(blockMeans(losses)),
          trainingImbalance: shorten(blocks.map(imbalance)),
          ...(clamps.length > 0 && { clamped: shorten(blockMeans(clamps)) }),
          ...(hasCutoffs && {
            cutoffLow: shorten(at(0)),
            cutoffMiddle: shorten(at(0.5)),
            cutoffHigh: shorten(at(1)),
          }),
        },
      }
    },
  }
}
