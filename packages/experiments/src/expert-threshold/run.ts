/** Trains one policy, and puts together what its scores say. */
import type { Backend } from '@fep-moe/core'
import type { Job } from '../experiment.js'
import type { Run } from '../results.js'
import type { ExpertThresholdMetric } from './metrics.js'
import { scoreTrained } from './score-trained.js'
import type { ExpertThresholdSettings } from './settings.js'
import { openTrace } from './trace.js'
import { openExpertThreshold } from './training.js'

/**
 * Trains and scores one condition. All conditions of a seed are scored on the same batches. Series of the run: over training in
 * blocks `trainingLoss`, `trainingImbalance`, `clamped` and, where there are cutoffs, `cutoffLow`, `cutoffMiddle`, `cutoffHigh`
 * over experts; on held-out text `load` (load / target, largest first), `fanout` (share of tokens with 0, 1, … experts) and
 * `fanoutByLoss` (their mean for the tenth of tokens that cost least, and so on); by window of served batches before and after the
 * source changes `imbalance/SERVICE` and `loss/SERVICE`.
 */
export async function runExpertThreshold(
  backend: Backend,
  job: Job,
  settings: ExpertThresholdSettings,
  onEpoch?: (done: number) => void | Promise<void>,
): Promise<Run> {
  const training = await openExpertThreshold(backend, job, settings)
  try {
    const trace = openTrace(training, settings)
    for (let epoch = 0; epoch < settings.epochs; epoch++) {
      await trace.add(await training.step(training.sample()))
      const pause = onEpoch?.(epoch + 1)
      if (pause) await pause
    }
    const traced = trace.finish()
    const scored = await scoreTrained(backend, job, settings, training)
    const metrics: Partial<Record<ExpertThresholdMetric, number>> = { ...traced.metrics, ...scored.metrics }
    return {
      experiment: 'expert-threshold',
      ...job,
      backend: backend.name,
      metrics: metrics as Record<string, number>,
      series: { ...traced.series, ...scored.series },
    }
  } finally {
    await training.dispose()
  }
}
