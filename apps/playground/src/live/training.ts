/** A gate in training on the paper's task, as its ablation trains it, in batches small enough for a frame. */
import {
  adam,
  type Backend,
  type Gate,
  missRates,
  type Params,
  type PrecisionState,
  precisionTracker,
  type Tensor,
} from '@fep-moe/core'
import { openDomainSwitch, type Scores, scoreSteps } from '@fep-moe/experiments'

/** Sequences per training step. */
const BATCH = 128
/** Of Adam. Three times the paper's: it has 800 steps of 512 sequences. */
const LEARNING_RATE = 1e-2

/** A training that somebody steps. */
export interface Training {
  /** One step on a fresh batch; its scores are from before the update. */
  step(): Promise<Scores>
  /** Copies the parameters out. */
  params(): Promise<Params>
  /** Π (E), where the gate has precision. */
  precision(): Tensor | undefined
  dispose(): Promise<void>
}

/** Opens a training that starts from `params`. The same seed gives the same batches to every gate and executor. */
export async function openTraining(
  backend: Backend,
  gate: Gate,
  params: Params,
  seed: number,
): Promise<Training> {
  const stream = openDomainSwitch({ batch: BATCH }, seed)
  const { steps, experts, switchAt } = stream.task
  const trainer = await gate.trainer(backend, params, {
    optimizer: adam({ lr: LEARNING_RATE }),
    loss: { kind: 'cross-entropy', time: 'sum', lastStep: 'drop' },
    layout: 'feature-major',
  })
  const tracker = trackerOf(gate)
  let tracked: PrecisionState | undefined = tracker?.init()
  return {
    step: async () => {
      const { x, targets } = stream.next()
      const result = await trainer.step({ x, targets, ...(tracked ? { precision: tracked } : {}) })
      const scores = scoreSteps(await result.featureMajorLogits(), targets, switchAt - 1)
      for (let t = 0; tracker && tracked && t + 1 < steps; t++)
        tracked = tracker.update(
          tracked,
          missRates(targets.data.subarray(t * BATCH, (t + 1) * BATCH), experts),
        )
      return scores
    },
    params: () => trainer.params(),
    precision: () => tracked && tracker?.precision(tracked),
    dispose: () => trainer.dispose(),
  }
}

function trackerOf({ config: { precision, experts } }: Gate) {
  if (!precision) return undefined
  const { momentum, epsilon, initialVariance } = precision
  return precisionTracker({ experts, momentum, epsilon, initialVariance })
}
