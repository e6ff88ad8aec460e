/**
 * The ablation of paper A (§4.4, Tables 4 and 5): all eight combinations of memory β, precision Π and anticipation, and
 * an oracle that sees the next token, on a stream that switches domain once.
 */
import { type Backend, type GateConfig, type PresetName, preset, schemas } from '@fep-moe/core'
import * as v from 'valibot'
import { ablationFigures } from './ablation-figures.js'
import { ablationMetrics, summarizeAblation } from './ablation-summary.js'
import { ablationTables } from './ablation-tables.js'
import { domainSwitchBoundRows } from './domain-switch/bounds.js'
import { runDomainSwitch } from './domain-switch/run.js'
import {
  type DomainSwitchSettings,
  domainSwitchSettings,
  restoreDomainSwitch,
} from './domain-switch/settings.js'
import { type DomainSwitchTraining, openDomainSwitchTraining } from './domain-switch/training.js'
import type { Experiment, Job } from './experiment.js'

/** Conditions in the paper's order, by the preset that each one trains. */
export const ablationConditions = {
  baseline: 'affinity',
  beta: 'paper-a/beta',
  pi: 'paper-a/pi',
  ant: 'paper-a/ant',
  'beta+pi': 'paper-a/beta+pi',
  'beta+ant': 'paper-a/beta+ant',
  'pi+ant': 'paper-a/pi+ant',
  'beta+pi+ant': 'paper-a/full',
  oracle: 'paper-a/oracle',
} as const satisfies Readonly<Record<string, PresetName>>

/** Name of a condition. */
export type AblationCondition = keyof typeof ablationConditions

/** The gate of a condition. @throws FEP_BAD_CONFIG for an unknown one */
function gateOf(condition: string, { dim, experts }: DomainSwitchSettings): GateConfig {
  const names = Object.keys(ablationConditions) as AblationCondition[]
  const name = schemas.parse(v.picklist(names), condition, 'ablation.condition')
  return preset(ablationConditions[name], { dim, experts })
}

/**
 * Opens a training of one condition.
 * @throws FEP_BAD_CONFIG for an unknown condition
 */
export async function openAblation(
  backend: Backend,
  { condition, seed }: Job,
  settings: DomainSwitchSettings,
): Promise<DomainSwitchTraining> {
  return openDomainSwitchTraining(backend, gateOf(condition, settings), seed, settings)
}

/** The ablation. */
export const ablation: Experiment<DomainSwitchSettings> = {
  name: 'ablation',
  title: 'Ablation of memory, precision and anticipation on a stream with one domain switch',
  source: 'arXiv 2605.00604, §4.4, Tables 4 and 5',
  metrics: ablationMetrics,
  conditions: Object.keys(ablationConditions),
  settings: domainSwitchSettings,
  restore: restoreDomainSwitch,
  // A predictor of 16-64-16 multiplies most; memory adds a scan.
  cost: (condition) => (condition.includes('ant') ? 3.9 : 1.6) + (condition.includes('beta') ? 0.6 : 0),
  amongAll: { seeds: 2 },
  run: async (backend, job, settings, onEpoch) =>
    runDomainSwitch(
      backend,
      { experiment: 'ablation', ...job },
      gateOf(job.condition, settings),
      settings,
      onEpoch,
    ),
  summarize: summarizeAblation,
  bounds: domainSwitchBoundRows,
  tables: ablationTables,
  figures: ablationFigures,
}
