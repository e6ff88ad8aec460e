/** Settings of the comparison on tasks with exact bounds. */
import { schemas } from '@fep-moe/core'
import * as v from 'valibot'
import type { ExperimentSettings, SettingsOverrides } from '../experiment.js'
import { changeSettings, experimentEntries } from '../settings.js'
import type { SwitchingTask } from '../tasks/switching/task.js'
import { type SwitchingName, switchingTasks } from '../tasks/switching/tasks.js'

/** How all gates are trained and scored. An epoch is one step on a fresh batch. */
export interface PastThePaperSettings extends ExperimentSettings {
  /** Steps on `fixed`, whose budget is the paper's own. */
  readonly paperEpochs: number
  /** Of Adam, > 0. */
  readonly learningRate: number
  /** Fresh sequences that a run is scored on, >= 1; the exact filter is scored on the same ones. */
  readonly evaluated: number
}

const fullSettings: PastThePaperSettings = {
  seeds: [42, 43, 44, 45, 46],
  epochs: 1500,
  quick: false,
  paperEpochs: 800,
  learningRate: 3e-3,
  evaluated: 4096,
}

const quickSettings = { seeds: [42], epochs: 20, paperEpochs: 20, evaluated: 256 }

const schema = v.strictObject({
  ...experimentEntries,
  paperEpochs: schemas.integerFrom(1, 1_000_000),
  learningRate: schemas.positive,
  evaluated: schemas.integerFrom(1, 2 ** 24),
})

/** Our settings with a user's changes; `epochs` holds for `fixed` too. @throws FEP_BAD_CONFIG naming the field */
export function pastThePaperSettings(overrides: SettingsOverrides = {}): PastThePaperSettings {
  const s = changeSettings(fullSettings, quickSettings, overrides)
  return overrides.epochs === undefined ? s : { ...s, paperEpochs: s.epochs }
}

/** Checks settings that were read from a file. @throws FEP_BAD_CONFIG naming the field */
export const restorePastThePaper = (value: unknown): PastThePaperSettings =>
  schemas.parse(schema, value, 'settings')

/** Tasks whose sequences are trained on as a whole. */
export const comparedTasks = [
  'fixed',
  'jittered',
  'geometric',
  'renewal',
  'cued',
  'gradual',
  'unreliable',
] as const satisfies readonly SwitchingName[]

/** A task of the comparison. */
export type ComparedTask = (typeof comparedTasks)[number]

/** The stream of a task. */
export const comparedStream = (name: ComparedTask): SwitchingTask => switchingTasks[name]
