/** One router in the comparison, whatever it is made of: trained step by step, then asked for probabilities. */
import {
  adam,
  type Backend,
  createGate,
  full,
  type Gate,
  type GateConfig,
  type GateState,
  gateStates,
  graphCost,
  missRates,
  precisionTracker,
  type Tensor,
  takeAll,
} from '@fep-moe/core'
import type { Baseline, BaselineState, RouterCost } from '../baselines/baseline.js'
import type { SwitchingBatch } from '../tasks/switching/stream.js'
import type { SwitchingTask } from '../tasks/switching/task.js'
import { seenTokens, seenWidth } from './tokens.js'
import { type Answer, probabilitiesOver, type Window } from './windows.js'

/** What a training is told. */
export interface ContenderOptions {
  readonly seed: number
  readonly learningRate: number
  /** Steps of a sequence that it is given at a time, >= 1; where the sequence is longer, it carries its state. */
  readonly window: number
}

/** A router in training. */
export interface OpenContender {
  /** One update, on the window after that of the step before, or on the first one of fresh sequences. Await it before arrays change. */
  step(window: Window, first: boolean): Promise<void>
  /** Ends the training: what answers from its parameters. */
  finish(): Promise<Evaluator>
  /** Gives up what the training holds. */
  dispose(): Promise<void>
}

/** A trained router. */
export interface Evaluator {
  /** (E,T,B) for a batch as large as those of the training, over all of its windows. */
  probabilities(batch: SwitchingBatch): Promise<Float64Array>
  /** Gives up the program. */
  dispose(): void
}

/** A router that can be opened on a task. */
export interface Contender {
  /** Parameters, numbers of state, operations per token. */
  cost(): Promise<RouterCost>
  /** Opens its training. */
  open(backend: Backend, options: ContenderOptions): Promise<OpenContender>
}

/** Numbers that a gate learns, and that it carries for each sequence. */
export const sizeOf = ({ params, config }: Gate): Omit<RouterCost, 'flops'> => ({
  parameters: params.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0),
  state: gateStates(config).reduce((n, { width }) => n + width, 0),
})

/** What a gate sees of a task, and decides on. */
export const gateOn = (config: Omit<GateConfig, 'dim' | 'experts'>, task: SwitchingTask): Gate =>
  createGate({ ...config, dim: seenWidth(task), experts: task.experts } as GateConfig)

/** A gate of core. Where it tracks Π itself, it is told the errors of the step before. Steps that the task does not score at its end are not trained on, as in the paper. */
export function gateContender(config: Omit<GateConfig, 'dim' | 'experts'>, task: SwitchingTask): Contender {
  const gate = gateOn(config, task)
  const { precision } = gate.config
  const tracks = precision?.scope === 'tracked'
  const told = ({ errors }: Window) => (tracks && errors ? { feedback: errors } : {})
  const begin = (): GateState =>
    Object.fromEntries(gateStates(gate.config).map(({ name, width }) => [name, full([task.batch, width], 0)]))
  return {
    cost: async () => {
      await gate.ready()
      const single = gate.graph({ steps: 1, state: true, next: false, layout: 'feature-major' })
      return { ...sizeOf(gate), flops: graphCost(single, 1).total.flops }
    },
    open: async (backend, { seed, learningRate, window }) => {
      const windowed = window < task.steps
      const steps = Math.min(window, task.steps)
      let state: GateState | undefined
      const trainer = await gate.trainer(backend, gate.init({ seed }), {
        optimizer: adam({ lr: learningRate }),
        loss: {
          kind: 'cross-entropy',
          time: 'sum',
          lastStep: task.scored.to < task.steps ? 'drop' : 'keep',
        },
        layout: 'feature-major',
      })
      const tracker =
        precision && !tracks
          ? precisionTracker({
              experts: task.experts,
              momentum: precision.momentum,
              epsilon: precision.epsilon,
              initialVariance: precision.initialVariance,
            })
          : undefined
      let tracked = tracker?.init()
      return {
        step: async (batch, first) => {
          if (windowed && first) state = begin()
          const done = await trainer.step({
            x: seenTokens(batch),
            targets: batch.targets,
            ...(tracked ? { precision: tracked } : {}),
            ...told(batch),
            ...(state && { state }),
          })
          if (windowed) state = await done.state()
          // As the paper's code: once per column, after the gradient step.
          if (tracker && tracked)
            for (let t = 0; t < Math.min(task.scored.to, steps); t++)
              tracked = tracker.update(tracked, missRates(columnOf(batch.targets, t), task.experts))
        },
        finish: async () => {
          const params = await trainer.params()
          const graph = gate.graph({ steps, state: windowed, next: false, layout: 'feature-major' })
          const program = await backend.compile(graph)
          const pi: { precision?: Tensor } =
            tracker && tracked ? { precision: tracker.precision(tracked) } : {}
          return {
            probabilities: (batch) =>
              probabilitiesOver(batch, { window, experts: task.experts }, async (part, carried) => {
                const states = windowed ? stateFeeds(carried ?? begin()) : {}
                const feeds = { ...params, x: seenTokens(part), ...pi, ...told(part), ...states }
                return answerOf(await takeAll(await program.run(feeds)))
              }),
            dispose: () => program.dispose(),
          }
        },
        dispose: () => trainer.dispose(),
      }
    },
  }
}

const STATE = 'state/'

const stateFeeds = (state: GateState) =>
  Object.fromEntries(Object.entries(state).map(([name, t]) => [STATE + name, t]))

/** Results of a gate's graph. */
const answerOf = ({ logits, ...rest }: Readonly<Record<string, Tensor>>): Answer => ({
  logits: logits as Tensor,
  state: Object.fromEntries(
    Object.entries(rest).flatMap(([name, t]) =>
      name.startsWith(STATE) ? [[name.slice(STATE.length), t] as const] : [],
    ),
  ),
})

const columnOf = ({ data, shape }: Tensor, t: number) =>
  data.subarray(t * (shape[1] as number), (t + 1) * (shape[1] as number)) as Int32Array

/** A router that is no gate. */
export function baselineContender(router: Baseline, task: SwitchingTask): Contender {
  return {
    cost: async () => router.cost,
    open: async (backend, { seed, learningRate, window }) => {
      const windowed = window < task.steps
      const begin = () => router.initialState(task.batch)
      let state: BaselineState | undefined
      const trainer = router.trainer(backend, router.init({ seed }), {
        optimizer: adam({ lr: learningRate }),
      })
      return {
        step: async (part, first) => {
          if (windowed && first) state = begin()
          const done = await trainer.step({
            x: seenTokens(part),
            targets: part.targets,
            ...(state && { state }),
          })
          if (windowed) state = await done.state()
        },
        finish: async () => {
          const form = { steps: Math.min(window, task.steps), state: windowed }
          const program = await router.evaluator(backend, await trainer.params(), form)
          return {
            probabilities: (batch) =>
              probabilitiesOver(batch, { window, experts: task.experts }, (part, carried) =>
                program.run(seenTokens(part), windowed ? (carried ?? begin()) : {}),
              ),
            dispose: () => program.dispose(),
          }
        },
        dispose: () => trainer.dispose(),
      }
    },
  }
}
