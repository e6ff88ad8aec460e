/** The first twenty training steps of the ablation's nine conditions and of other memories, against the float64 reference. */
import {
  adam,
  atStep,
  type Backend,
  createGate,
  type GateConfig,
  missRates,
  type Params,
  precisionTracker,
  referenceBackend,
  sgd,
  type Tensor,
} from '@fep-moe/core'
import type { ProcedureCase } from '../frame/case.js'
import type { Probe } from '../frame/probe.js'
import { gateCase } from './case.js'
import { DIM, EXPERTS, STEPS, switchingBatch } from './task.js'

const size = { dim: DIM, experts: EXPERTS }
const memory = { kind: 'leaky', beta: 0.9 } as const
const precision = { kind: 'gain', initialVariance: 0.5 } as const
const anticipation = { kind: 'direct' } as const

const CONDITIONS: Readonly<Record<string, GateConfig>> = {
  baseline: size,
  beta: { ...size, memory },
  pi: { ...size, precision },
  ant: { ...size, anticipation },
  'beta+pi': { ...size, memory, precision },
  'beta+ant': { ...size, memory, anticipation },
  'pi+ant': { ...size, precision, anticipation },
  'beta+pi+ant': { ...size, memory, precision, anticipation },
  oracle: { ...size, router: 'oracle' },
  belief: { ...size, belief: { phases: 6 } },
  'belief-phase-type+cues': {
    ...size,
    belief: { states: 2, phases: 3, duration: 'phase-type', cues: 3, width: 8 },
  },
  // Resonators start at cos(πn/2): 0 at every other step but for rounding. A unit that is active only there has a gradient of
  // rounding errors, and Adam scales it to a full step; so they are read by the router here, which sums over all steps.
  'beta+clock': { ...size, memory, clock: { integrators: 1, resonators: 2, affinity: true } },
  'beta+ant+clock': { ...size, memory, anticipation, clock: { integrators: 3 } },
  'beta+ant+surprise': { ...size, memory, anticipation, clock: { integrators: 2, surpriseReset: true } },
  'straight-to-logits': { ...size, memory, anticipation: { kind: 'logits', width: 8 } },
  mean: { ...size, memory: { kind: 'mean' } },
  membrane: { ...size, memory: { kind: 'membrane' } },
  probability: { ...size, memory: { kind: 'probability' } },
  'probability+distribution': {
    ...size,
    memory: { kind: 'probability' },
    anticipation: { kind: 'distribution', width: 8, activation: 'gelu' },
  },
}

const TRAINING_STEPS = 20
const BATCH = 8
const SEED = 401
/** Absolute, on losses (sums over 11 steps) and on parameters. */
const TOLERANCE = { atol: 1e-4, rtol: 0 }

interface Trajectory {
  readonly losses: Tensor
  readonly params: Params
}

async function train(backend: Backend, config: GateConfig): Promise<Trajectory> {
  const gate = createGate(config)
  const loss = { kind: 'cross-entropy', time: 'sum', lastStep: 'drop' } as const
  const trainer = await gate.trainer(backend, gate.init({ seed: SEED }), {
    optimizer: adam({ lr: 3e-3 }),
    loss,
  })
  const tracker = gate.config.precision && precisionTracker({ experts: EXPERTS, initialVariance: 0.5 })
  let state = tracker?.init()
  const losses = new Float64Array(TRAINING_STEPS)
  try {
    for (let step = 0; step < TRAINING_STEPS; step++) {
      const batch = switchingBatch(SEED + step, BATCH)
      const result = await trainer.step({ ...batch, ...(state ? { precision: state } : {}) })
      losses[step] = await result.loss()
      for (let t = 0; tracker && t < STEPS - 1; t++) {
        state = tracker.update(
          state as NonNullable<typeof state>,
          missRates(atStep(batch.targets, t).data, EXPERTS),
        )
      }
    }
    return {
      losses: { dtype: 'float32', shape: [TRAINING_STEPS], data: losses },
      params: await trainer.params(),
    }
  } finally {
    await trainer.dispose()
  }
}

/** The reference is slow; several lanes of one process share what it found. */
const known = new Map<string, Promise<Trajectory>>()

const exact = (condition: string): Promise<Trajectory> => {
  const found =
    known.get(condition) ??
    referenceBackend({ precision: 'float64' }).then((b) => train(b, CONDITIONS[condition] as GateConfig))
  known.set(condition, found)
  return found
}

async function checkCondition(probe: Probe, condition: string): Promise<void> {
  const want = await exact(condition)
  const got = await train(probe.backend, CONDITIONS[condition] as GateConfig)
  await probe.compare('losses', got.losses, want.losses)
  for (const [name, t] of Object.entries(want.params))
    await probe.compare(name, probe.present(name, got.params[name]), t)
}

/** Two micro-batches and one update equal one step on both together. */
async function checkAccumulation(probe: Probe): Promise<void> {
  const config = CONDITIONS['beta+pi+ant'] as GateConfig
  const gate = createGate(config)
  const params = gate.init({ seed: SEED })
  const whole = switchingBatch(SEED, 8)
  const half = (t: Tensor, k: number): Tensor => ({
    ...t,
    shape: [4, ...t.shape.slice(1)],
    data: t.data.slice((k * t.data.length) / 2, ((k + 1) * t.data.length) / 2) as Tensor['data'],
  })
  const options = {
    optimizer: sgd({ lr: 0.1, momentum: 0.9 }),
    loss: { kind: 'cross-entropy', lastStep: 'drop' },
  } as const
  const [one, two] = [
    await gate.trainer(probe.backend, params, options),
    await gate.trainer(probe.backend, params, options),
  ]
  try {
    for (let step = 0; step < 3; step++) {
      await one.step(whole)
      for (const k of [0, 1]) await two.accumulate({ x: half(whole.x, k), targets: half(whole.targets, k) })
      await two.apply()
    }
    const want = await one.params()
    for (const [name, t] of Object.entries(await two.params())) {
      await probe.compare(name, t, probe.present(name, want[name]), { atol: 1e-6, rtol: 1e-5 })
    }
    await probe.rejects('FEP_UNSUPPORTED', 'apply without a gradient', () => two.apply())
  } finally {
    await one.dispose()
    await two.dispose()
  }
}

/** See the file's header. */
export const training = (): ProcedureCase[] => [
  ...Object.keys(CONDITIONS).map((condition) =>
    gateCase(
      `training/20-steps/${condition}`,
      SEED,
      TOLERANCE,
      'against the float64 reference, Adam included',
      (probe) => checkCondition(probe, condition),
    ),
  ),
  gateCase(
    'training/accumulate-and-apply',
    SEED,
    { atol: 1e-6, rtol: 1e-5 },
    'a mean of means, added in another order',
    checkAccumulation,
  ),
]
