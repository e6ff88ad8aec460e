/** Trains one gate on one text, and scores it beside the exact filter on the same fresh letters. */
import { type Backend, createGate, type GateConfig } from '@fep-moe/core'
import type { Job } from '../experiment.js'
import { expertOfSecond, insideSecond } from '../language-model/scoring.js'
import { type LanguageModelTraining, openTextTraining } from '../language-model/training.js'
import { type Metrics, share, unlimited } from '../metric.js'
import { sizeOf } from '../past-the-paper/contender.js'
import type { Run } from '../results.js'
import { shorten } from '../series.js'
import type { AlternatingAlphabetsBatch } from '../tasks/alternating-alphabets.js'
import { modelWith, partsOf, switchingTextGates } from './conditions.js'
import { scoreSwitchingText } from './scoring.js'
import type { SwitchingTextSettings } from './settings.js'
import { texts } from './texts.js'

/** Name of the experiment. */
export const NAME = 'switching-text'

/**
 * Metrics of every run. `excess`: bits above what the exact filter pays for the very same letters. Weights of the expert of the
 * second alphabet only where the alphabet changes at one known step.
 */
export const switchingTextRunMetrics = {
  bpcAll: unlimited('BPC all', 4),
  bpcTransition: unlimited('BPC at switches', 4),
  excessAll: unlimited('bits above the filter', 4),
  excessTransition: unlimited('bits above the filter at switches', 4),
  pB: share('p_B at the switch', 'mass'),
  pBBefore: share('p_B a step before', 'mass'),
  pBMid: share('p_B mid', 'mass'),
  parameters: { ...unlimited('parameters of the gate', 0), exact: true },
  state: { ...unlimited('numbers of state', 0), exact: true },
} satisfies Metrics

/** Name of a run's metric. */
export type SwitchingTextMetric = keyof typeof switchingTextRunMetrics

/** One model in training on one of the texts. */
export type SwitchingTextTraining = LanguageModelTraining<AlternatingAlphabetsBatch>

/**
 * Opens a training. Data and initial parameters come from different streams of the seed, so that all gates with one seed see
 * the same batches.
 * @throws FEP_BAD_CONFIG for an unknown condition
 */
export function openSwitchingText(
  backend: Backend,
  { condition, seed }: Job,
  settings: SwitchingTextSettings,
): Promise<SwitchingTextTraining> {
  const { text: name, gate } = partsOf(condition)
  const text = texts[name](settings)
  return openTextTraining(backend, {
    ...settings,
    model: modelWith(gate, settings),
    seed,
    weights: text.weights(),
    stream: text.open(settings.batch, seed),
  })
}

/**
 * Trains and scores. All gates of a seed are scored on the same letters. Series of the run: `around` and `aroundBound`, bits at
 * the distances `aroundAt` from a switch, of the model and of the exact filter; `byAge` and `byAgeBound`, by the age of the
 * alphabet, where it changes often; `weightB` by step, where it changes once.
 */
export async function runSwitchingText(
  backend: Backend,
  job: Job,
  settings: SwitchingTextSettings,
  onEpoch?: (done: number) => void | Promise<void>,
): Promise<Run> {
  const { text: name, gate } = partsOf(job.condition)
  const { epochs, switchAt, scoredBatch, scoredBatches, dim, experts } = settings
  const training = await openSwitchingText(backend, job, settings)
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      await training.step(training.sample())
      const pause = onEpoch?.(epoch + 1)
      if (pause) await pause
    }
    const text = texts[name](settings)
    const { model, bound, weights } = await scoreSwitchingText(
      backend,
      training.model,
      await training.params(),
      text,
      text.open(scoredBatch, job.seed, 'scoring'),
      scoredBatches,
    )
    const weightB = weights[expertOfSecond(weights, switchAt)] as readonly number[]
    const once = name === 'once'
    const metrics: Partial<Record<SwitchingTextMetric, number>> = {
      bpcAll: model.all,
      bpcTransition: model.transition,
      excessAll: model.all - bound.all,
      excessTransition: model.transition - bound.transition,
      ...(once && {
        pB: weightB[switchAt - 1] as number,
        pBBefore: weightB[Math.max(0, switchAt - 2)] as number,
        pBMid: insideSecond(weightB, switchAt),
      }),
      ...sizeOf(createGate<GateConfig>({ ...switchingTextGates[gate], dim, experts })),
    }
    return {
      experiment: NAME,
      ...job,
      backend: backend.name,
      metrics: metrics as Record<string, number>,
      series: {
        aroundAt: model.around.map(({ at }) => at),
        around: shorten(model.around.map(({ bits }) => bits)),
        aroundBound: shorten(bound.around.map(({ bits }) => bits)),
        ...(once
          ? { weightB: shorten(weightB) }
          : { byAge: shorten(model.byAge), byAgeBound: shorten(bound.byAge) }),
      },
    }
  } finally {
    await training.dispose()
  }
}
