/** Who is compared: affinity, the paper's eight gates, and what one would try in their place. */
import { preset } from '@fep-moe/core'
import { ablationConditions } from '../ablation.js'
import { type Baseline, createBaseline, fitBaseline } from '../baselines/baseline.js'
import type { BaselineConfig } from '../baselines/config.js'
import type { SwitchingTask } from '../tasks/switching/task.js'
import { baselineContender, type Contender, gateContender } from './contender.js'
import { seenWidth } from './tokens.js'

/** Places of the filter that sets the budget: longer than the longest stay of most tasks. */
const PHASES = 16

/**
 * What a filter with learned parameters has: evidence S (d + 1), hazards S M, transitions S², and a state of S M numbers.
 * Routers «of equal parameters» and «of equal state» have at most as many.
 */
export function filterBudget(task: SwitchingTask): { readonly parameters: number; readonly state: number } {
  const states = task.reliability ? 2 * task.domains : task.domains
  const state = states * PHASES
  return { parameters: states * (seenWidth(task) + 1) + state + states ** 2, state }
}

const gates = Object.entries(ablationConditions)
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

/** By name. A new gate is a line here. */
export const contenders: Readonly<Record<string, (task: SwitchingTask) => Contender>> = {
  ...Object.fromEntries(gates),
  ...Object.fromEntries(
    Object.entries(routers).map(([name, make]) => [
      name,
      (task: SwitchingTask) =>
        baselineContender(make({ dim: seenWidth(task), experts: task.experts }, task), task),
    ]),
  ),
}
