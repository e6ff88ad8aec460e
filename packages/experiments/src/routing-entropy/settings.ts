/** Settings of §3.4. */
import { schemas } from '@fep-moe/core'
import * as v from 'valibot'
import type { ExperimentSettings, SettingsOverrides } from '../experiment.js'
import { changeSettings, experimentEntries } from '../settings.js'
import { type DomainSwitch, domainSwitch, resolveDomainSwitch } from '../tasks/domain-switch.js'

/** The ablation's stream, and how gates are trained on it and evaluated afterwards. */
export interface RoutingEntropySettings extends ExperimentSettings, DomainSwitch {
  /** Of Adam, > 0. */
  readonly learningRate: number
  /** Sequences per batch of the evaluation, >= 1. */
  readonly evaluationBatch: number
  /** Batches of the evaluation, >= 1. */
  readonly evaluationBatches: number
}

const paperSettings: RoutingEntropySettings = {
  ...domainSwitch,
  seeds: [42, 43, 44, 45, 46],
  epochs: 800,
  quick: false,
  learningRate: 3e-3,
  evaluationBatch: 2048,
  evaluationBatches: 20,
}

const quickSettings = { seeds: [42], epochs: 40, batch: 64, evaluationBatch: 256, evaluationBatches: 2 }

const trainingSchema = v.object({
  ...experimentEntries,
  learningRate: schemas.positive,
  evaluationBatch: schemas.integerFrom(1, 2 ** 20),
  evaluationBatches: schemas.integerFrom(1, 1_000_000),
})

/** The paper's settings with a user's changes. @throws FEP_BAD_CONFIG naming the field */
export const routingEntropySettings = (overrides: SettingsOverrides = {}): RoutingEntropySettings =>
  changeSettings(paperSettings, quickSettings, overrides)

/** Checks settings that were read from a file. @throws FEP_BAD_CONFIG naming the field */
export function restoreRoutingEntropy(value: unknown): RoutingEntropySettings {
  const training = schemas.parse(trainingSchema, value, 'settings')
  const rest = Object.entries(value as object).filter(([key]) => !(key in training))
  return { ...resolveDomainSwitch(Object.fromEntries(rest)), ...training }
}
