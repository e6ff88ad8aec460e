/** The language model in training, a step at a time: what a runner and a benchmark share. */
import { adam, type Backend, cosineAnnealing, type LossResult, type Params } from '@fep-moe/core'
import { rowBound } from '@fep-moe/core/moe'
import { carriedPolicy, type PolicyState, policyStateFrom } from '@fep-moe/core/policies'
import { openTrainer } from '@fep-moe/core/training'
import type { Job } from '../experiment.js'
import { layerOf } from './conditions.js'
import { type ByteModel, createByteModel } from './model.js'
import type { ExpertThresholdSettings } from './settings.js'
import { openText, type TextBatch } from './stream.js'
import { readTexts } from './texts.js'

/** Results of one step, before its update; readable until the next step is done. */
export interface ExpertThresholdStep extends LossResult {
  /** The loss of the text alone, in nats per byte. */
  task(): Promise<number>
  /** Tokens of each expert. */
  load(): Promise<readonly number[]>
  /** Per expert 1 where capacity changed what its cutoff decided, else 0; zeros for policies without cutoffs. */
  clamped(): Promise<readonly number[]>
}

/** One model in training. */
export interface ExpertThresholdTraining {
  readonly model: ByteModel
  /** The next batch. */
  sample(): TextBatch
  /** Gradient, update of the parameters and of the policy's state. */
  step(batch: TextBatch): Promise<ExpertThresholdStep>
  params(): Promise<Params>
  state(): Promise<PolicyState>
  /** Compiles ahead of the first step. */
  prepare(): Promise<unknown>
  /** Frees trainer and programs. */
  dispose(): Promise<void>
}

/**
 * Opens a training of one condition on novel and speeches. Data and initial parameters come from different streams of the seed:
 * all conditions with one seed see the same batches, and start from the same parameters as far as they have the same.
 * @throws FEP_BAD_CONFIG for an unknown condition; FEP_IO where the texts cannot be read
 */
export async function openExpertThreshold(
  backend: Backend,
  { condition, seed }: Job,
  settings: ExpertThresholdSettings,
): Promise<ExpertThresholdTraining> {
  const { batch, steps, learningRate, epochs } = settings
  const { novel, speeches } = await readTexts()
  const text = openText([novel.training, speeches.training], settings, seed, 'training')
  const model = createByteModel(settings, layerOf(condition, settings))
  const { policy } = model.layer
  const bound = rowBound(policy, { batch, steps, training: true })
  const size = { batch, steps, ...(bound.kind === 'fixed' ? {} : { rows: bound.most }) }
  const form = { key: 'training', graph: () => model.lossGraph(size) }
  const clamps = policy.kind === 'threshold' && policy.capacity !== null
  const trainer = openTrainer<TextBatch, ExpertThresholdStep>(
    {
      specs: model.params,
      read: ({ x, y }) => ({ form, feeds: { x, y } }),
      show: (results) => {
        const one = async (name: string) => (await results.read(name)).data[0] as number
        const each = async (name: string) => Array.from((await results.read(name)).data)
        return {
          loss: () => one('loss'),
          task: () => one('task'),
          load: () => each('load'),
          clamped: async () => (clamps ? each('clamped') : Array<number>(policy.experts).fill(0)),
        }
      },
      carried: carriedPolicy(policy, model.layer.initialState()),
    },
    backend,
    model.init(seed),
    {
      optimizer: adam({ lr: learningRate }),
      schedule: cosineAnnealing({ lr: learningRate, steps: epochs }),
    },
  )
  return {
    model,
    sample: () => text.next(),
    step: (sampled) => trainer.step(sampled),
    params: () => trainer.params(),
    state: async () => policyStateFrom(await trainer.carriedState()),
    prepare: () => trainer.prepareForm(form),
    dispose: async () => {
      await trainer.dispose()
      await model.release(backend)
    },
  }
}
