/** Who is compared: affinity, the paper's eight gates, filters and clocks, and what one would try in their place. */
import { type ComposedGateConfig, preset, presets } from '@fep-moe/core'
import { ablationConditions } from '../ablation.js'
import { type Baseline, createBaseline, fitBaseline } from '../baselines/baseline.js'
import type { BaselineConfig } from '../baselines/config.js'
import type { SwitchingTask } from '../tasks/switching/task.js'
import { baselineContender, type Contender, gateContender, gateOn, sizeOf } from './contender.js'
import { seenWidth } from './tokens.js'

/** The filter that sets the budget. */
const BELIEF = { belief: {} } as const

/** What the belief gate has. Routers «of equal parameters» and «of equal state» have at most as many. */
export const filterBudget = (task: SwitchingTask): { readonly parameters: number; readonly state: number } =>
  sizeOf(gateOn(BELIEF, task))

const paperGates = Object.entries(ablationConditions)
  .filter(([name]) => name !== 'oracle')
  .map(
    ([name, presetName]) =>
      [
        name === 'baseline' ? 'affinity' : name,
        (task: SwitchingTask): Contender => {
          const { dim: _, experts: __, ...config } = preset(presetName, { dim: 1, experts: 1 })
          return gateContender(config, task)
        },
      ] as const,
  )

const memory = { kind: 'leaky' } as const
const tracked = { kind: 'evidence', scope: 'tracked', learned: true } as const
const phaseType = { phases: 4, duration: 'phase-type' } as const

/** Filters and clocks: what the paper's mechanisms become where time and switches are part of the model. */
const ours: Readonly<Record<string, Omit<ComposedGateConfig, 'dim' | 'experts'>>> = {
  fep: presets.fep,
  belief: BELIEF,
  'belief-phase-type': { belief: phaseType },
  'belief+copies': { belief: { copies: 2 } },
  'belief+cues': { belief: { cues: 4 } },
  'beta+ant+clock': { memory, anticipation: { kind: 'direct' }, clock: {} },
  'beta+ant+clock-reset': { memory, anticipation: { kind: 'direct' }, clock: { surpriseReset: true } },
}

/** Those that track Π of each sequence from errors, which only some tasks tell. */
const tracking: typeof ours = {
  'beta+pi-tracked': { memory, precision: tracked },
  'beta+pi-tracked+ant': { memory, precision: tracked, anticipation: { kind: 'direct' } },
  'belief+pi-tracked': { belief: {}, precision: tracked },
}

type Made = (shape: Pick<BaselineConfig, 'dim' | 'experts'>, task: SwitchingTask) => Baseline

const routers: Readonly<Record<string, Made>> = {
  'gru-parameters': (shape, task) =>
    fitBaseline({ ...shape, kind: 'gru' }, { parameters: filterBudget(task).parameters }),
  'gru-state': (shape, task) => fitBaseline({ ...shape, kind: 'gru' }, { state: filterBudget(task).state }),
  'min-gru-parameters': (shape, task) =>
    fitBaseline({ ...shape, kind: 'min-gru' }, { parameters: filterBudget(task).parameters }),
  'min-gru-state': (shape, task) =>
    fitBaseline({ ...shape, kind: 'min-gru', layers: 2 }, { state: filterBudget(task).state }),
  convolution: (shape) => createBaseline({ ...shape, kind: 'convolution', hidden: 32 }),
}

/** By name. A new gate is a line above. */
export const contenders: Readonly<Record<string, (task: SwitchingTask) => Contender>> = {
  ...Object.fromEntries(paperGates),
  ...Object.fromEntries(
    Object.entries({ ...ours, ...tracking }).map(([name, config]) => [
      name,
      (task: SwitchingTask) => gateContender(config, task),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(routers).map(([name, make]) => [
      name,
      (task: SwitchingTask) =>
        baselineContender(make({ dim: seenWidth(task), experts: task.experts }, task), task),
    ]),
  ),
}

/** Names of those that have something to do on a task. */
export const contendersOn = ({ reliability }: SwitchingTask): readonly string[] =>
  Object.keys(contenders).filter((name) => reliability || !(name in tracking))
