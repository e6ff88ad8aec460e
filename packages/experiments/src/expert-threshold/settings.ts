/** Settings of the experiment: what is trained, on what, and how it is scored. */
import { schemas } from '@fep-moe/core'
import * as v from 'valibot'
import type { ExperimentSettings, SettingsOverrides } from '../experiment.js'
import { changeSettings, epochs, experimentEntries } from '../settings.js'

/** Settings. An epoch is one optimizer step. */
export interface ExpertThresholdSettings extends ExperimentSettings {
  /** Sequences of a batch B, a multiple of 8: the smallest pool of expert choice is an eighth. */
  readonly batch: number
  /** Bytes that a sequence predicts T, >= 1. */
  readonly steps: number
  /** Bytes that a prediction sees W, >= 1. */
  readonly window: number
  /** Width of a byte's embedding, >= 1. */
  readonly embedding: number
  /** Width of the layer d, >= 1. */
  readonly dim: number
  /** Experts E, >= 2. */
  readonly experts: number
  /** Hidden units of an expert, >= 1. */
  readonly width: number
  /** Of Adam at its highest, > 0; it falls to 0 along a cosine. */
  readonly learningRate: number
  /** Decay of averaged cutoffs per step, in [0, 1). */
  readonly decay: number
  /** Steps of expert choice ahead of thresholds, >= 0. */
  readonly warmUp: number
  /** C of training with thresholds, >= 0. */
  readonly capacity: number
  /** Batches that each score is made of, >= 1. */
  readonly scoredBatches: number
  /** Batches from which cutoffs are calibrated again, >= 1. */
  readonly calibrationBatches: number
  /** Decay of cutoffs per batch where serving adapts them, in [0, 1). */
  readonly adaptDecay: number
}

const fullSettings: ExpertThresholdSettings = {
  seeds: [1, 2, 3],
  epochs: 800,
  batch: 16,
  steps: 128,
  window: 8,
  embedding: 32,
  dim: 64,
  experts: 16,
  width: 128,
  learningRate: 4e-3,
  decay: 0.95,
  warmUp: 120,
  capacity: 0.5,
  scoredBatches: 32,
  calibrationBatches: 8,
  adaptDecay: 0.8,
  quick: false,
}

/** Seconds on a backend that is plain JavaScript. */
const quickSettings = {
  seeds: [1],
  epochs: 40,
  steps: 64,
  dim: 32,
  width: 32,
  decay: 0.8,
  warmUp: 10,
  scoredBatches: 4,
  calibrationBatches: 2,
}

const schema = v.strictObject({
  ...experimentEntries,
  batch: v.pipe(
    schemas.integerFrom(8, 2 ** 16),
    v.check((n) => n % 8 === 0, 'a multiple of 8'),
  ),
  steps: schemas.integerFrom(1, 2 ** 12),
  window: schemas.integerFrom(1, 2 ** 8),
  embedding: schemas.integerFrom(1, 2 ** 12),
  dim: schemas.integerFrom(1, 2 ** 16),
  experts: schemas.integerFrom(2, 2 ** 12),
  width: schemas.integerFrom(1, 2 ** 16),
  learningRate: schemas.positive,
  decay: schemas.averagingFactor,
  warmUp: schemas.integerFrom(0, 2 ** 31),
  capacity: schemas.nonNegative,
  scoredBatches: epochs,
  calibrationBatches: epochs,
  adaptDecay: schemas.averagingFactor,
})

/** The full settings with a user's changes. @throws FEP_BAD_CONFIG naming the field */
export const expertThresholdSettings = (overrides?: SettingsOverrides): ExpertThresholdSettings =>
  changeSettings(fullSettings, quickSettings, overrides)

/** Checks settings that were read from a file. @throws FEP_BAD_CONFIG naming the field */
export const restoreExpertThreshold = (value: unknown): ExpertThresholdSettings =>
  schemas.parse(schema, value, 'settings')
