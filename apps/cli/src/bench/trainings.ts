/** The experiments that lend their training a step at a time: their batches are timed apart, their programs profiled. */
import type { Backend } from '@fep-moe/core'
import {
  ablation,
  expertThreshold,
  type LanguageModelSettings,
  languageModel,
  openAblation,
  openExpertThreshold,
  openLanguageModel,
  openSwitchingText,
  switchingText,
} from '@fep-moe/experiments'

/** A training whose steps are timed one by one. */
export interface TimedTraining {
  /** Makes the next batch; returns its step. Run that before the next batch is made. */
  sample(): () => Promise<unknown>
  /** Compiles ahead of the first step. */
  prepare(): Promise<unknown>
  dispose(): Promise<void>
}

/** What can be timed of an experiment. */
export interface Trainable {
  readonly conditions: readonly string[]
  /** The sizes of a step, for a heading. */
  readonly sizes: string
  /** Opens a condition with the paper's settings. */
  open(backend: Backend, condition: string): Promise<TimedTraining>
}

/** By experiment. */
export const trainables = {
  ablation: {
    conditions: ablation.conditions,
    sizes: sizesOf(
      ({ batch, steps, dim, experts }) => ({ B: batch, T: steps, d: dim, E: experts }),
      ablation,
    ),
    open: async (backend, condition) => {
      const training = await openAblation(backend, { condition, seed: 0 }, ablation.settings())
      return {
        ...training,
        sample: () => {
          const batch = training.sample()
          return async () => {
            await training.step(batch)
            training.track(batch)
          }
        },
      }
    },
  },
  'language-model': {
    conditions: languageModel.conditions,
    sizes: sizesOf(textSizes, languageModel),
    open: async (backend, condition) =>
      timed(await openLanguageModel(backend, { condition, seed: 0 }, languageModel.settings())),
  },
  'expert-threshold': {
    conditions: expertThreshold.conditions,
    sizes: sizesOf(
      ({ batch, steps, dim, width, experts }) => ({ B: batch, T: steps, d: dim, hidden: width, E: experts }),
      expertThreshold,
    ),
    open: async (backend, condition) =>
      timed(await openExpertThreshold(backend, { condition, seed: 0 }, expertThreshold.settings())),
  },
  'switching-text': {
    conditions: switchingText.conditions,
    sizes: sizesOf(textSizes, switchingText),
    open: async (backend, condition) =>
      timed(await openSwitchingText(backend, { condition, seed: 0 }, switchingText.settings())),
  },
} as const satisfies Readonly<Record<string, Trainable>>

/** Name of such an experiment. */
export type TrainableName = keyof typeof trainables

/** All of them. */
export const trainableNames = Object.keys(trainables) as TrainableName[]

/** A training whose step is one call. */
function timed<B>(
  training: Omit<TimedTraining, 'sample'> & { sample(): B; step(batch: B): Promise<unknown> },
): TimedTraining {
  return {
    ...training,
    sample: () => {
      const batch = training.sample()
      return () => training.step(batch)
    },
  }
}

function textSizes({
  batch,
  letters,
  dim,
  experts,
  vocabulary,
}: LanguageModelSettings): Record<string, number> {
  return { B: batch, T: letters - 1, d: dim, E: experts, V: vocabulary }
}

function sizesOf<S>(pick: (settings: S) => Record<string, number>, { settings }: { settings(): S }): string {
  return Object.entries(pick(settings()))
    .map(([name, size]) => `${name} ${size}`)
    .join(', ')
}
