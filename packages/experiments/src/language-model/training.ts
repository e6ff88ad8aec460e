/** The language model in training, a step at a time: what a runner and a benchmark share. */
import {
  adam,
  type Backend,
  createLanguageModel,
  type LanguageModel,
  type LanguageModelConfig,
  type LanguageModelStep,
  type Params,
  type Tensor,
  tensor,
} from '@fep-moe/core'
import type { Job } from '../experiment.js'
import { openTwoAlphabets, type TwoAlphabetsBatch } from '../tasks/two-alphabets.js'
import { modelOf } from './conditions.js'
import { type LanguageModelSettings, textOf } from './settings.js'

/** One language model in training, on batches of letters and those that follow them. */
export interface LanguageModelTraining<B extends Pick<TwoAlphabetsBatch, 'x' | 'y'> = TwoAlphabetsBatch> {
  readonly model: LanguageModel
  /** The next batch; valid until the one after it. */
  sample(): B
  /** Gradient, update. Await it before the next `sample`. */
  step(batch: B): Promise<LanguageModelStep>
  /** Copies the parameters to the host. */
  params(): Promise<Params>
  /** Compiles ahead of the first step. */
  prepare(): Promise<unknown>
  /** Frees trainer and programs. */
  dispose(): Promise<void>
}

/** What a model is trained on, and how. */
export interface TextTraining<B> {
  readonly model: LanguageModelConfig
  /** Of the initial parameters. */
  readonly seed: number
  readonly learningRate: number
  readonly predictionWeight: number
  /** Weights of the token losses (B,T); their sum is divided by B · T. */
  readonly weights: Tensor
  readonly stream: { next(): B }
}

/** Opens the training of a model on any text. @throws FEP_BAD_CONFIG */
export async function openTextTraining<B extends Pick<TwoAlphabetsBatch, 'x' | 'y'>>(
  backend: Backend,
  { model: config, seed, learningRate, predictionWeight, weights, stream }: TextTraining<B>,
): Promise<LanguageModelTraining<B>> {
  const model = createLanguageModel(config)
  const trainer = await model.trainer(backend, model.init({ seed }), {
    optimizer: adam({ lr: learningRate }),
    loss: { divideBy: 'tokens', predictionWeight },
  })
  return {
    model,
    sample: () => stream.next(),
    step: ({ x, y }) => trainer.step({ x, y, weights }),
    params: () => trainer.params(),
    prepare: () => trainer.prepare({ steps: weights.shape[1] as number, weights: true }),
    dispose: async () => {
      await trainer.dispose()
      await model.release(backend)
    },
  }
}

/** Weights of the losses of a text whose alphabet changes once (B,T): 1, and `transitionWeight` before the change. */
export function transitionWeights({
  batch,
  letters,
  switchAt,
  transitionWeight,
}: Pick<LanguageModelSettings, 'batch' | 'letters' | 'switchAt' | 'transitionWeight'>): Tensor {
  const steps = letters - 1
  const weightOf = (t: number) => (t === switchAt - 1 ? transitionWeight : 1)
  return tensor(
    Float32Array.from({ length: batch * steps }, (_, i) => weightOf(i % steps)),
    [batch, steps],
  )
}

/**
 * Opens a training of one condition. Data and initial parameters come from different streams of the seed, so that all
 * conditions with one seed see the same batches.
 * @throws FEP_BAD_CONFIG for an unknown condition
 */
export const openLanguageModel = (
  backend: Backend,
  { condition, seed }: Job,
  settings: LanguageModelSettings,
): Promise<LanguageModelTraining> =>
  openTextTraining(backend, {
    ...settings,
    model: modelOf(condition, settings),
    seed,
    weights: transitionWeights(settings),
    stream: openTwoAlphabets(textOf(settings), seed),
  })
