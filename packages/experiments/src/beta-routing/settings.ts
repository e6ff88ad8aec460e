/** Settings of Table 1. */
import { FepError, schemas } from '@fep-moe/core'
import * as v from 'valibot'
import type { ExperimentSettings, SettingsOverrides } from '../experiment.js'
import { changeSettings, epochs, experimentEntries } from '../settings.js'
import { earlySignal, type LastStepTask, lateSwitch } from '../tasks/last-step.js'

/** The two tasks: A shows the domain early, B switches to it late. */
export const TASKS = ['A', 'B'] as const

/** `A` or `B`. */
export type TaskName = (typeof TASKS)[number]

/** Both tasks, and how routers are trained on them. */
export interface BetaRoutingSettings extends ExperimentSettings, Omit<LastStepTask, 'name' | 'shows'> {
  /** Tokens per sequence T, >= 2. */
  readonly steps: number
  /** Experts E, >= 3: 0 and 2 are right, the others decoys. */
  readonly experts: number
  /** Task A: the first steps, which show the domain; 1..T. */
  readonly signalSteps: number
  /** Task B: the first step that shows the domain in question, 1..T−1. */
  readonly switchAt: number
  /** The fixed decay of the membrane, which is also where a learned one starts. */
  readonly beta: Readonly<Record<TaskName, number>>
  /** θ of the soft cap, > 0. */
  readonly threshold: number
  /** Of Adam, > 0. */
  readonly learningRate: number
  /** Metrics are means over this many last epochs; over all where there are fewer. */
  readonly scoredEpochs: number
}

const paperSettings: BetaRoutingSettings = {
  seeds: [42, 43, 44, 45, 46],
  epochs: 500,
  quick: false,
  batch: 512,
  steps: 8,
  dim: 16,
  experts: 4,
  noise: 1.2,
  signal: 1,
  signalSteps: 3,
  switchAt: 4,
  beta: { A: 0.9, B: 0.75 },
  threshold: 1,
  learningRate: 3e-3,
  scoredEpochs: 50,
}

const quickSettings = { seeds: [42], epochs: 60, scoredEpochs: 10, batch: 64 }

const schema = v.strictObject({
  ...experimentEntries,
  batch: schemas.integerFrom(1, 2 ** 20),
  steps: schemas.integerFrom(2, 2 ** 16),
  dim: schemas.integerFrom(2, 2 ** 16),
  experts: schemas.integerFrom(3, 2 ** 16),
  noise: schemas.positive,
  signal: schemas.positive,
  signalSteps: schemas.integerFrom(1, 2 ** 16),
  switchAt: schemas.integerFrom(1, 2 ** 16),
  beta: v.strictObject({ A: schemas.decayFactor, B: schemas.decayFactor }),
  threshold: schemas.positive,
  learningRate: schemas.positive,
  scoredEpochs: epochs,
})

/** The paper's settings with a user's changes. @throws FEP_BAD_CONFIG naming the field */
export const betaRoutingSettings = (overrides: SettingsOverrides = {}): BetaRoutingSettings =>
  changeSettings(paperSettings, quickSettings, overrides)

/** Checks settings that were read from a file. @throws FEP_BAD_CONFIG naming the field */
export function restoreBetaRouting(value: unknown): BetaRoutingSettings {
  const s = schemas.parse(schema, value, 'settings')
  const refuse = (field: 'dim' | 'signalSteps' | 'switchAt', accepted: string): never => {
    throw new FepError('FEP_BAD_CONFIG', `settings.${field} is ${s[field]}; accepted: ${accepted}`)
  }
  if (s.dim % 2 !== 0) refuse('dim', 'an even number')
  if (s.signalSteps > s.steps) refuse('signalSteps', `an integer in 1..${s.steps}`)
  if (s.switchAt >= s.steps) refuse('switchAt', `an integer in 1..${s.steps - 1}`)
  return s
}

/** One of the tasks. */
export function taskOf(
  name: TaskName,
  { batch, dim, noise, signal, steps, signalSteps, switchAt }: BetaRoutingSettings,
): LastStepTask {
  const shows = name === 'A' ? earlySignal(steps, signalSteps) : lateSwitch(steps, switchAt)
  return { name: `last-step/${name}`, batch, dim, noise, signal, shows }
}
