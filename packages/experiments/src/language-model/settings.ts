/** Settings of the language model experiment: the paper's, a user's changes, and what a file says. */
import { schemas } from '@fep-moe/core'
import * as v from 'valibot'
import type { ExperimentSettings, SettingsOverrides } from '../experiment.js'
import { changeSettings, epochs, experimentEntries } from '../settings.js'
import { resolveTwoAlphabets, type TwoAlphabets, twoAlphabets } from '../tasks/two-alphabets.js'
import { languageModelConditions } from './conditions.js'

/** Settings of the experiment: the text, the model, and how it is trained and scored. */
export interface LanguageModelSettings extends ExperimentSettings, TwoAlphabets {
  /** Width of an embedding d, >= 1. */
  readonly dim: number
  /** Number of experts E, >= 2. */
  readonly experts: number
  /** Of Adam, > 0. */
  readonly learningRate: number
  /** Weight of the step before the switch in the loss, > 0; that of the others is 1. The sum is divided by B · T. */
  readonly transitionWeight: number
  /** Weight of the mean squared error of x̂ beside the token loss, >= 0. */
  readonly predictionWeight: number
  /** Batches a trained model is scored on, >= 1. */
  readonly scoredBatches: number
  /** Sequences in each of them, >= 1. */
  readonly scoredBatch: number
}

/** The paper's settings. */
export const paperSettings: LanguageModelSettings = {
  ...twoAlphabets,
  seeds: [42, 43, 44, 45, 46],
  epochs: 1500,
  dim: 64,
  experts: 2,
  learningRate: 2e-3,
  transitionWeight: 5,
  predictionWeight: 0.5,
  scoredBatches: 20,
  scoredBatch: 512,
  quick: false,
}

/** Small enough for a backend that is plain JavaScript: seconds, not hours. */
export const quickSettings = { seeds: [42], epochs: 40, batch: 16, scoredBatches: 2, scoredBatch: 64 }

/** The first is what the others are held against. */
const conditionsSchema = v.pipe(
  v.array(v.picklist(Object.keys(languageModelConditions))),
  v.check((list) => new Set(list).size === list.length, 'conditions that differ'),
  v.check((list) => list.includes('standard'), 'standard among them'),
)

const trainingSchema = v.object({
  ...experimentEntries,
  conditions: v.exactOptional(conditionsSchema),
  dim: schemas.integerFrom(1, 2 ** 16),
  experts: schemas.integerFrom(2, 2 ** 16),
  learningRate: schemas.positive,
  transitionWeight: schemas.positive,
  predictionWeight: schemas.nonNegative,
  scoredBatches: epochs,
  scoredBatch: schemas.integerFrom(1, 2 ** 20),
})

/** The paper's settings with a user's changes. @throws FEP_BAD_CONFIG naming the field */
export function languageModelSettings(overrides: SettingsOverrides = {}): LanguageModelSettings {
  const { conditions, ...others } = overrides
  const settings = changeSettings(paperSettings, quickSettings, others)
  if (conditions === undefined) return settings
  return { ...settings, conditions: schemas.parse(conditionsSchema, conditions, 'settings.conditions') }
}

/** Checks settings that were read from a file. @throws FEP_BAD_CONFIG naming the field */
export function restoreLanguageModel(value: unknown): LanguageModelSettings {
  const training = schemas.parse(trainingSchema, value, 'settings')
  const task = Object.entries(value as object).filter(([key]) => !(key in training))
  return { ...resolveTwoAlphabets(Object.fromEntries(task)), ...training }
}

/** The text alone. */
export function textOf({
  batch,
  letters,
  vocabulary,
  switchAt,
  next,
  skip,
}: LanguageModelSettings): TwoAlphabets {
  return { batch, letters, vocabulary, switchAt, next, skip }
}
