/** Settings of Tables 2 and 3. */
import { FepError, schemas } from '@fep-moe/core'
import * as v from 'valibot'
import type { ExperimentSettings, SettingsOverrides } from '../experiment.js'
import { changeSettings, epochs, experimentEntries } from '../settings.js'

/** The task, the mixture, and how it is trained. An epoch is one step on a fresh batch. */
export interface PrecisionSettings extends ExperimentSettings {
  /** Tokens per step, >= 1. */
  readonly batch: number
  /** Width of a token d, even. */
  readonly dim: number
  /** Hidden units of an expert, >= 1. */
  readonly width: number
  /** Standard deviation of every expert's noise, >= 0; at the swap experts 0 and 2 exchange theirs. */
  readonly noise: readonly number[]
  /** First step after the swap, where there is one: half of the training. */
  readonly shiftAt: number
  /** ε of Π = 1/(var + ε), > 0. */
  readonly epsilon: number
  /** Of Adam, > 0. */
  readonly learningRate: number
  /** Early and final loss are means over this many first and last steps; over all where there are fewer. */
  readonly scoredEpochs: number
}

const paperSettings: PrecisionSettings = {
  seeds: [42, 43, 44, 45, 46],
  epochs: 1000,
  quick: false,
  batch: 256,
  dim: 16,
  width: 32,
  noise: [0.1, 0.5, 1.5, 0.5],
  shiftAt: 500,
  epsilon: 1e-4,
  learningRate: 3e-3,
  scoredEpochs: 100,
}

const quickSettings = { seeds: [42], epochs: 200, scoredEpochs: 40, batch: 64 }

const schema = v.strictObject({
  ...experimentEntries,
  batch: schemas.integerFrom(1, 2 ** 20),
  dim: schemas.integerFrom(2, 2 ** 16),
  width: schemas.integerFrom(1, 2 ** 16),
  noise: v.pipe(v.array(schemas.nonNegative), v.minLength(3, 'at least three deviations')),
  shiftAt: schemas.integerFrom(0, 1_000_000),
  epsilon: schemas.positive,
  learningRate: schemas.positive,
  scoredEpochs: epochs,
})

/** The paper's settings with a user's changes; the swap stays in the middle. @throws FEP_BAD_CONFIG naming the field */
export function precisionSettings(overrides: SettingsOverrides = {}): PrecisionSettings {
  const s = changeSettings(paperSettings, quickSettings, overrides)
  return { ...s, shiftAt: Math.floor(s.epochs / 2) }
}

/** Checks settings that were read from a file. @throws FEP_BAD_CONFIG naming the field */
export function restorePrecision(value: unknown): PrecisionSettings {
  const s = schemas.parse(schema, value, 'settings')
  if (s.dim % 2 !== 0)
    throw new FepError('FEP_BAD_CONFIG', `settings.dim is ${s.dim}; accepted: an even number`)
  if (s.shiftAt > s.epochs)
    throw new FepError(
      'FEP_BAD_CONFIG',
      `settings.shiftAt is ${s.shiftAt}; accepted: an integer in 0..${s.epochs}`,
    )
  return s
}

/** Deviations of the experts' noise after the swap: the first and the third have changed places. */
export function swapped(noise: readonly number[]): number[] {
  const [first, second, third, ...others] = noise as [number, number, number, ...number[]]
  return [third, second, first, ...others]
}

/** What a condition is. */
export interface PrecisionCondition {
  /** Whether the experts' noise is swapped half-way. */
  readonly shifts: boolean
  /** m of Π's moving average; null: the gate has no Π. */
  readonly momentum: number | null
}

/** Conditions of Tables 2 and 3, then other speeds of Π on the shifting noise. */
export const precisionConditions = {
  'static-affinity': { shifts: false, momentum: null },
  'static-precision': { shifts: false, momentum: 0.95 },
  'shifting-affinity': { shifts: true, momentum: null },
  'shifting-precision': { shifts: true, momentum: 0.95 },
  'shifting-m0.7': { shifts: true, momentum: 0.7 },
  'shifting-m0.9': { shifts: true, momentum: 0.9 },
  'shifting-m0.99': { shifts: true, momentum: 0.99 },
} as const satisfies Readonly<Record<string, PrecisionCondition>>

/** Conditions that differ in m alone, by m. */
export const SPEEDS = ['shifting-m0.7', 'shifting-m0.9', 'shifting-precision', 'shifting-m0.99'] as const

/** A condition by name. @throws FEP_BAD_CONFIG for an unknown one */
export function precisionCondition(name: string): PrecisionCondition {
  const names = Object.keys(precisionConditions) as (keyof typeof precisionConditions)[]
  return precisionConditions[schemas.parse(v.picklist(names), name, 'precision.condition')]
}
