/** The language model in training, a step at a time: what a runner and a benchmark share. */
import {
  adam,
  type Backend,
  createLanguageModel,
  type LanguageModel,
  type LanguageModelStep,
  type Params,
  tensor,
} from '@fep-moe/core'
import type { Job } from '../experiment.js'
import { openTwoAlphabets, type TwoAlphabetsBatch } from '../tasks/two-alphabets.js'
import { modelOf } from './conditions.js'
import { type LanguageModelSettings, textOf } from './settings.js'

/** One language model in training. */
export interface LanguageModelTraining {
  readonly model: LanguageModel
  /** The next batch; valid until the one after it. */
  sample(): TwoAlphabetsBatch
  /** Gradient, update. Await it before the next `sample`. */
  step(batch: TwoAlphabetsBatch): Promise<LanguageModelStep>
  /** Copies the parameters to the host. */
  params(): Promise<Params>
  /** Compiles ahead of the first step. */
  prepare(): Promise<unknown>
  /** Frees trainer and programs. */
  dispose(): Promise<void>
}

/**
 * Opens a training of one condition. Data and initial parameters come from different streams of the seed, so that all
 * conditions with one seed see the same batches.
 * @throws FEP_BAD_CONFIG for an unknown condition
 */
export async function openLanguageModel(
  backend: Backend,
  { condition, seed }: Job,
  settings: LanguageModelSettings,
): Promise<LanguageModelTraining> {
  const { batch, letters, switchAt, transitionWeight, predictionWeight, learningRate } = settings
  const steps = letters - 1
  const model = createLanguageModel(modelOf(condition, settings))
  const stream = openTwoAlphabets(textOf(settings), seed)
  const trainer = await model.trainer(backend, model.init({ seed }), {
    optimizer: adam({ lr: learningRate }),
    loss: { divideBy: 'tokens', predictionWeight },
  })
  const weights = tensor(
    Float32Array.from({ length: batch * steps }, (_, i) =>
      i % steps === switchAt - 1 ? transitionWeight : 1,
    ),
    [batch, steps],
  )
  return {
    model,
    sample: () => stream.next(),
    step: ({ x, y }) => trainer.step({ x, y, weights }),
    params: () => trainer.params(),
    prepare: () => trainer.prepare({ steps, weights: true }),
    dispose: async () => {
      await trainer.dispose()
      await model.release(backend)
    },
  }
}
