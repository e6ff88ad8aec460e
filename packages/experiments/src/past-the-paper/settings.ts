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
  /** Steps on `long`: each is one window. */
  readonly longEpochs: number
  /** Steps of a sequence that a training goes back through on `long`, a divisor of its length; what sequences carry goes on. */
  readonly window: number
  /** As `evaluated`, on `long`. */
  readonly longEvaluated: number
  /** Steps on each of the domains of `continual`. */
  readonly domainEpochs: number
}

const fullSettings: PastThePaperSettings = {
  seeds: [42, 43, 44, 45, 46],
  epochs: 1500,
  quick: false,
  paperEpochs: 800,
  learningRate: 3e-3,
  evaluated: 4096,
  longEpochs: 300,
  window: 512,
  longEvaluated: 64,
  domainEpochs: 500,
}

const quickSettings = {
  seeds: [42],
  epochs: 20,
  paperEpochs: 20,
  evaluated: 256,
  longEpochs: 8,
  longEvaluated: 8,
  domainEpochs: 20,
}

const schema = v.strictObject({
  ...experimentEntries,
  paperEpochs: schemas.integerFrom(1, 1_000_000),
  learningRate: schemas.positive,
  evaluated: schemas.integerFrom(1, 2 ** 24),
  longEpochs: schemas.integerFrom(1, 1_000_000),
  window: v.pipe(
    schemas.integerFrom(1, 2 ** 20),
    v.check((n) => switchingTasks.long.steps % n === 0, `a divisor of ${switchingTasks.long.steps}`),
  ),
  longEvaluated: schemas.integerFrom(1, 2 ** 24),
  domainEpochs: schemas.integerFrom(1, 1_000_000),
})

/** Our settings with a user's changes; `epochs` holds for all tasks. @throws FEP_BAD_CONFIG naming the field */
export function pastThePaperSettings(overrides: SettingsOverrides = {}): PastThePaperSettings {
  const s = changeSettings(fullSettings, quickSettings, overrides)
  if (overrides.epochs === undefined) return s
  return { ...s, paperEpochs: s.epochs, longEpochs: s.epochs, domainEpochs: s.epochs }
}

/** Checks settings that were read from a file. @throws FEP_BAD_CONFIG naming the field */
export const restorePastThePaper = (value: unknown): PastThePaperSettings =>
  schemas.parse(schema, value, 'settings')

/** Tasks with a routing score. */
export const comparedTasks = [
  'fixed',
  'jittered',
  'geometric',
  'renewal',
  'cued',
  'gradual',
  'unreliable',
  'long',
] as const satisfies readonly SwitchingName[]

/** A task of the comparison. */
export type ComparedTask = (typeof comparedTasks)[number]

/** The stream of a task. */
export const comparedStream = (name: ComparedTask): SwitchingTask => switchingTasks[name]

/** Budget of a task: updates, steps of a sequence at a time, sequences that are scored. */
export function budgetOf(name: ComparedTask, settings: PastThePaperSettings) {
  const { epochs, paperEpochs, longEpochs, evaluated, longEvaluated, window } = settings
  if (name === 'long') return { updates: longEpochs, window, evaluated: longEvaluated }
  return { updates: name === 'fixed' ? paperEpochs : epochs, window: switchingTasks[name].steps, evaluated }
}
