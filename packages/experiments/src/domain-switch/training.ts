/** Gates trained on the domain-switch stream as the paper's ablation does. Experiments on it differ in their gates only. */
import {
  adam,
  type Backend,
  createGate,
  type GateConfig,
  type LossConfig,
  missRates,
  type Params,
  precisionTracker,
  type StepResult,
} from '@fep-moe/core'
import { type DomainSwitch, type DomainSwitchBatch, openDomainSwitch } from '../tasks/domain-switch.js'

/** One gate in training, a step at a time: what a runner and a benchmark share. */
export interface DomainSwitchTraining {
  /** The next batch; valid until the one after it. */
  sample(): DomainSwitchBatch
  /** Gradient, update. Await it before the next `sample`. */
  step(batch: DomainSwitchBatch): Promise<StepResult>
  /** Updates Π where the gate has it: the paper does so once per column, after the gradient step. */
  track(batch: DomainSwitchBatch): void
  /** Π by expert as tracked so far; null where the gate has none. */
  precision(): readonly number[] | null
  /** Copies the parameters to the host. */
  params(): Promise<Params>
  /** Decay of the membrane, one per dimension; null where the gate has none. */
  betas(): Promise<number[] | null>
  /** Compiles ahead of the first step. */
  prepare(): Promise<unknown>
  /** Frees trainer and programs. */
  dispose(): Promise<void>
}

/** The ablation's: the sum over steps of the cross-entropy of the gate. */
const ablationLoss: LossConfig = { kind: 'cross-entropy', time: 'sum', lastStep: 'drop' }

/**
 * Opens a training. Data and initial parameters come from different streams of the seed, so that all gates with one seed
 * see the same batches.
 * @throws FEP_BAD_CONFIG
 */
export async function openDomainSwitchTraining(
  backend: Backend,
  config: GateConfig,
  seed: number,
  settings: DomainSwitch & { readonly learningRate: number },
  loss: LossConfig = ablationLoss,
): Promise<DomainSwitchTraining> {
  const { batch, steps, dim, experts, switchAt, noise, signal } = settings
  const stream = openDomainSwitch({ batch, steps, dim, experts, switchAt, noise, signal }, seed)
  const gate = createGate(config)
  const trainer = await gate.trainer(backend, gate.init({ seed }), {
    optimizer: adam({ lr: settings.learningRate }),
    loss,
    layout: 'feature-major',
  })
  const { precision, memory } = gate.config
  const tracker = precision
    ? precisionTracker({
        experts,
        momentum: precision.momentum,
        epsilon: precision.epsilon,
        initialVariance: precision.initialVariance,
      })
    : undefined
  let tracked = tracker?.init()
  return {
    sample: () => stream.next(),
    step: ({ x, targets }) => trainer.step({ x, targets, ...(tracked ? { precision: tracked } : {}) }),
    track: ({ targets }) => {
      if (!tracker) return
      for (let t = 0; t + 1 < steps; t++) {
        const column = targets.data.subarray(t * batch, (t + 1) * batch)
        tracked = tracker.update(tracked as NonNullable<typeof tracked>, missRates(column, experts))
      }
    },
    precision: () => (tracker && tracked ? Array.from(tracker.precision(tracked).data) : null),
    params: () => trainer.params(),
    betas: async () => {
      if (memory === null || !('beta' in memory)) return null
      const raw = memory.learned ? (await trainer.params()).beta_raw : undefined
      return raw ? Array.from(raw.data, (z) => 1 / (1 + Math.exp(-z))) : [...memory.beta]
    },
    prepare: () => trainer.prepare(steps),
    dispose: () => trainer.dispose(),
  }
}
