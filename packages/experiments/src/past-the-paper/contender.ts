/** One router in the comparison, whatever it is made of: trained step by step, then asked for probabilities. */
import {
  adam,
  type Backend,
  createGate,
  type Gate,
  type GateConfig,
  gateStates,
  graphCost,
  missRates,
  precisionTracker,
  type Tensor,
  takeAll,
} from '@fep-moe/core'
import type { Baseline, RouterCost } from '../baselines/baseline.js'
import { routingProbabilities } from '../tasks/switching/scores.js'
import type { SwitchingBatch } from '../tasks/switching/stream.js'
import type { SwitchingTask } from '../tasks/switching/task.js'
import { seenTokens, seenWidth } from './tokens.js'

/** What a training is told. */
export interface ContenderOptions {
  readonly seed: number
  readonly learningRate: number
}

/** A router in training. */
export interface OpenContender {
  /** One update. Await it before the batch's arrays change. */
  step(batch: SwitchingBatch): Promise<void>
  /** Ends the training: what answers from its parameters. */
  finish(): Promise<Evaluator>
  /** Gives up what the training holds. */
  dispose(): Promise<void>
}

/** A trained router. */
export interface Evaluator {
  /** (E,T,B) for a batch as large as those of the training. */
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
  const told = ({ errors }: SwitchingBatch) => (tracks && errors ? { feedback: errors } : {})
  return {
    cost: async () => {
      await gate.ready()
      const single = gate.graph({ steps: 1, state: true, next: false, layout: 'feature-major' })
      return { ...sizeOf(gate), flops: graphCost(single, 1).total.flops }
    },
    open: async (backend, { seed, learningRate }) => {
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
        step: async (batch) => {
          await trainer.step({
            x: seenTokens(batch),
            targets: batch.targets,
            ...(tracked ? { precision: tracked } : {}),
            ...told(batch),
          })
          // As the paper's code: once per column, after the gradient step.
          if (tracker && tracked)
            for (let t = 0; t < task.scored.to; t++)
              tracked = tracker.update(tracked, missRates(columnOf(batch.targets, t), task.experts))
        },
        finish: async () => {
          const [params, program] = [
            await trainer.params(),
            await backend.compile(gate.graph({ steps: task.steps, next: false, layout: 'feature-major' })),
          ]
          const pi: { precision?: Tensor } =
            tracker && tracked ? { precision: tracker.precision(tracked) } : {}
          return {
            probabilities: async (batch) => {
              const feeds = { ...params, x: seenTokens(batch), ...pi, ...told(batch) }
              const { logits } = await takeAll(await program.run(feeds))
              return routingProbabilities(logits as Tensor)
            },
            dispose: () => program.dispose(),
          }
        },
        dispose: () => trainer.dispose(),
      }
    },
  }
}

const columnOf = ({ data, shape }: Tensor, t: number) =>
  data.subarray(t * (shape[1] as number), (t + 1) * (shape[1] as number)) as Int32Array

/** A router that is no gate. */
export function baselineContender(router: Baseline, task: SwitchingTask): Contender {
  return {
    cost: async () => router.cost,
    open: async (backend, { seed, learningRate }) => {
      const trainer = router.trainer(backend, router.init({ seed }), {
        optimizer: adam({ lr: learningRate }),
      })
      return {
        step: async (batch) => {
          await trainer.step({ x: seenTokens(batch), targets: batch.targets })
        },
        finish: async () => {
          const program = await router.evaluator(backend, await trainer.params(), { steps: task.steps })
          return {
            probabilities: async (batch) =>
              routingProbabilities((await program.run(seenTokens(batch))).logits),
            dispose: () => program.dispose(),
          }
        },
        dispose: () => trainer.dispose(),
      }
    },
  }
}
