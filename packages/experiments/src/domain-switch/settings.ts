/** Settings of experiments on the domain-switch stream: the paper's, a user's changes, and what a file says. */
import { schemas } from '@fep-moe/core'
import * as v from 'valibot'
import type { ExperimentSettings } from '../experiment.js'
import { changeSettings, epochs, experimentEntries } from '../settings.js'
import { type DomainSwitch, domainSwitch, resolveDomainSwitch } from '../tasks/domain-switch.js'

/** Settings of an experiment on the stream: the task, and how gates are trained and scored on it. */
export interface DomainSwitchSettings extends ExperimentSettings, DomainSwitch {
  /** Of Adam, > 0. */
  readonly learningRate: number
  /** Metrics are means over this many last epochs, >= 1; over all where there are fewer. */
  readonly scoredEpochs: number
}

/** The ablation's settings in the paper. */
export const paperSettings: DomainSwitchSettings = {
  ...domainSwitch,
  seeds: [42, 43, 44, 45, 46],
  epochs: 800,
  learningRate: 3e-3,
  scoredEpochs: 50,
  quick: false,
}

/** Small enough for the reference interpreter: seconds, not hours. */
const quickSettings = { seeds: [42], epochs: 40, scoredEpochs: 10, batch: 64 }

const trainingSchema = v.object({
  ...experimentEntries,
  learningRate: schemas.positive,
  scoredEpochs: epochs,
})

/** The paper's settings with a user's changes. @throws FEP_BAD_CONFIG naming the field */
export const domainSwitchSettings = (overrides: unknown = {}): DomainSwitchSettings =>
  changeSettings(paperSettings, quickSettings, overrides)

/** Checks settings that were read from a file. @throws FEP_BAD_CONFIG naming the field */
export function restoreDomainSwitch(value: unknown): DomainSwitchSettings {
  const training = schemas.parse(trainingSchema, value, 'settings')
  const task = Object.entries(value as object).filter(([key]) => !(key in training))
  return { ...resolveDomainSwitch(Object.fromEntries(task)), ...training }
}
