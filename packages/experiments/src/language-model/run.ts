/** One training of the language model, and what it is scored by. */
import { type Backend, expertsForCoverage } from '@fep-moe/core'
import type { Job } from '../experiment.js'
import { type Metrics, share, unlimited } from '../metric.js'
import type { Run } from '../results.js'
import { shorten } from '../series.js'
import { openTwoAlphabets } from '../tasks/two-alphabets.js'
import { expertOfSecond, insideSecond, mean, scoreText } from './scoring.js'
import { type LanguageModelSettings, textOf } from './settings.js'
import { openLanguageModel } from './training.js'

/**
 * Metrics of every run. `pB` is the weight of the expert of the second alphabet at the step that predicts its first letter,
 * `pBBefore` that at the step before: a gate that knows when the switch comes has a larger `pB`.
 */
export const languageModelRunMetrics = {
  bpcAll: unlimited('BPC all', 3),
  bpcTransition: unlimited('BPC t=31', 3),
  pB: share('p_B t=31', 'mass'),
  pBBefore: share('p_B t=30', 'mass'),
  pBMid: share('p_B mid', 'mass'),
  k99: unlimited('K(99 %)', 1, 'mass'),
  parameters: { ...unlimited('parameters', 0), exact: true },
} satisfies Metrics

/** Name of a run's metric. */
export type LanguageModelMetric = keyof typeof languageModelRunMetrics

/** The paper's code counts no more experts than this. */
const MOST_EXPERTS = 999

/**
 * Trains and scores one condition. Scored on batches of a stream of their own, which all conditions of a seed share. Series
 * of the run: `bits` and `weightB` by step (the weight of the expert of the second alphabet), and `beta` by dimension where
 * there is a membrane.
 */
export async function runLanguageModel(
  backend: Backend,
  job: Job,
  settings: LanguageModelSettings,
  onEpoch?: (done: number) => void | Promise<void>,
): Promise<Run> {
  const { epochs, switchAt, scoredBatch, scoredBatches } = settings
  const training = await openLanguageModel(backend, job, settings)
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      await training.step(training.sample())
      const pause = onEpoch?.(epoch + 1)
      if (pause) await pause
    }
    const params = await training.params()
    const text = openTwoAlphabets({ ...textOf(settings), batch: scoredBatch }, job.seed, 'scoring')
    const { bits, weights } = await scoreText(backend, training.model, params, text, scoredBatches)
    const weightB = weights[expertOfSecond(weights, switchAt)] as readonly number[]
    const pB = weightB[switchAt - 1] as number
    const metrics: Record<LanguageModelMetric, number> = {
      bpcAll: mean(bits),
      bpcTransition: bits[switchAt - 1] as number,
      pB,
      pBBefore: weightB[Math.max(0, switchAt - 2)] as number,
      pBMid: insideSecond(weightB, switchAt),
      k99: expertsForCoverage(pB, { cap: MOST_EXPERTS }),
      parameters: Object.values(params).reduce((n, p) => n + p.data.length, 0),
    }
    const raw = params['router.beta_raw']
    const series = {
      bits: shorten(bits),
      weightB: shorten(weightB),
      ...(raw ? { beta: shorten(Array.from(raw.data, (z) => 1 / (1 + Math.exp(-z)))) } : {}),
    }
    return { experiment: 'language-model', ...job, backend: backend.name, metrics, series }
  } finally {
    await training.dispose()
  }
}
