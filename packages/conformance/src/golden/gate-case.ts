/** Golden gates: forward, loss, every gradient, and parameters after five Adam steps. */
import {
  accuracy,
  adam,
  atStep,
  createGate,
  entropy,
  type Gate,
  gateMass,
  gradients,
  missRates,
  type Params,
  precisionTracker,
  type Tensor,
  toHost,
} from '@fep-moe/core'
import { lossGraph, resolveLoss, scoredSteps } from '@fep-moe/core/training'
import type { Probe } from '../frame/probe.js'
import { stepOf, stepsOf } from '../frame/steps.js'
import { type GoldenGate, goldenGate } from './gates.js'
import { openVectors, type VectorEntry, type Vectors } from './vectors.js'

const firstSteps = (t: Tensor, steps: number): Tensor => stepsOf(t, 0, steps)
const scalar = (value: number): Tensor => ({ dtype: 'float32', shape: [1], data: Float64Array.of(value) })

interface Opened extends GoldenGate {
  readonly gate: Gate
  readonly params: Params
  readonly vectors: Vectors
}

/** Runs a golden gate case. */
export async function checkGoldenGate(entry: VectorEntry, probe: Probe): Promise<void> {
  const vectors = await openVectors(entry)
  const golden = goldenGate(entry)
  const gate = createGate(golden.config)
  const params = Object.fromEntries(
    gate.params.map(({ name }) => [name, vectors.get(`param.${golden.torchName(name)}`)]),
  )
  const opened: Opened = { ...golden, gate, params, vectors }
  try {
    await forward(opened, probe)
    await backward(opened, probe)
    if (vectors.names('after5.').length > 0) await training(opened, entry, probe)
  } finally {
    await gate.release(probe.backend)
  }
}

const has = ({ vectors }: Opened, name: string): boolean => vectors.names('').includes(name)

const compareTo =
  ({ vectors }: Opened, probe: Probe) =>
  (name: string, got: Tensor) =>
    probe.compare(name, got, vectors.get(name), vectors.tolerance(name))

/** Sequences of a single batch are stored as `x`, those of a training run as `batch0`…`batch4`. */
function batchOf({ vectors, loss }: Opened, index = 0): { x: Tensor; targets: Tensor } {
  const [x, targets] = vectors.names('').includes('input.x')
    ? ['input.x', 'input.targets']
    : [`input.batch${index}`, `input.targets${index}`]
  const right = vectors.get(targets)
  // Decided at the last step: one target per sequence.
  return {
    x: vectors.get(x),
    targets: loss.time === 'last' ? { ...right, shape: [...right.shape, 1] } : right,
  }
}

/** The steps that are scored, (B,T',…), or (B,…) where that is the last one alone. */
function scoredOf({ gate, loss }: Opened, t: Tensor): Tensor {
  const steps = t.shape[1] as number
  return loss.time === 'last'
    ? stepOf(t, steps - 1)
    : firstSteps(t, scoredSteps(steps, resolveLoss(gate.config, loss)))
}

const precisionOf = (opened: Opened): { precision?: Tensor } =>
  has(opened, 'input.pi') ? { precision: opened.vectors.get('input.pi') } : {}

async function forward(opened: Opened, probe: Probe): Promise<void> {
  const { gate, params, vectors } = opened
  const { x, targets } = batchOf(opened)
  const routed = await gate.route(probe.backend, params, x, { ...precisionOf(opened), details: true })
  const compare = compareTo(opened, probe)
  const found = { logits: routed.logits, gates: routed.weights, x_hat: routed.prediction, h: routed.memory }
  for (const [name, t] of Object.entries(found)) {
    if (has(opened, `output.${name}`)) await compare(`output.${name}`, scoredOf(opened, t as Tensor))
  }
  if (!has(opened, 'output.metrics')) return
  const { length } = vectors.get('output.metrics').data
  const metrics = Array.from({ length: length / 4 }, (_, t) => {
    const [weights, right] = [atStep(routed.weights, t), atStep(targets, t)]
    const mass = gateMass(weights, right)
    return [mass, entropy(weights), accuracy(weights, right), 1 - mass]
  })
  const want = vectors.get('output.metrics')
  await compare('output.metrics', {
    dtype: 'float32',
    shape: want.shape,
    data: Float64Array.from(metrics.flat()),
  })
}

async function backward(opened: Opened, probe: Probe): Promise<void> {
  const { gate, params, torchName } = opened
  const { x, targets } = batchOf(opened)
  const loss = resolveLoss(gate.config, opened.loss)
  const steps = x.shape[1] as number
  const wrt = gate.params.map((p) => p.name)
  const program = await probe.backend.compile(
    gradients(lossGraph(gate.config, { steps, loss }), { of: 'loss', wrt }),
  )
  try {
    const scored = firstSteps(targets, scoredSteps(steps, loss))
    const fetched = await program.run({ ...params, x, targets: scored, ...precisionOf(opened) })
    const compare = compareTo(opened, probe)
    await compare('output.loss', scalar((await probe.present('loss', fetched.loss).read())[0] as number))
    for (const name of wrt) {
      const g = await toHost(probe.present(`grad/${name}`, fetched[`grad/${name}`]))
      await compare(`grad.${torchName(name)}`, g)
    }
    for (const t of Object.values(fetched)) t.dispose()
  } finally {
    program.dispose()
  }
}

async function training(opened: Opened, { config }: VectorEntry, probe: Probe): Promise<void> {
  const { gate, params, torchName, loss, vectors } = opened
  const [b1, b2] = config.adam_betas as [number, number]
  const optimizer = adam({ lr: config.lr as number, betas: [b1, b2], epsilon: config.adam_eps as number })
  const trainer = await gate.trainer(probe.backend, params, { optimizer, loss })
  const { precision, experts } = gate.config
  const tracker = precision && precisionTracker({ ...pick(precision), experts })
  let state = tracker?.init()
  const [used, variances, losses] = [[] as number[], [] as number[], [] as number[]]
  try {
    for (let step = 0; step < 5; step++) {
      const { x, targets } = batchOf(opened, step)
      if (tracker && state) used.push(...tracker.precision(state).data)
      const result = await trainer.step({ x, targets, ...(state ? { precision: state } : {}) })
      losses.push(await result.loss())
      if (!tracker) continue
      for (let t = 0; t < (x.shape[1] as number) - 1; t++) {
        state = tracker.update(
          state as NonNullable<typeof state>,
          missRates(atStep(targets, t).data, experts),
        )
        variances.push(...state.variance)
      }
    }
    if (tracker && state) used.push(...tracker.precision(state).data)
    const compare = compareTo(opened, probe)
    const rows = (name: string, values: readonly number[]) =>
      compare(name, { dtype: 'float32', shape: vectors.get(name).shape, data: Float64Array.from(values) })
    await rows('output.train_loss', losses)
    if (tracker) {
      await rows('output.pi_used', used)
      await rows('output.pi_var', variances)
    }
    for (const [name, t] of Object.entries(await trainer.params()))
      await compare(`after5.${torchName(name)}`, t)
  } finally {
    await trainer.dispose()
  }
}

const pick = ({
  momentum,
  epsilon,
  initialVariance,
}: {
  momentum: number
  epsilon: number
  initialVariance: number
}) => ({
  momentum,
  epsilon,
  initialVariance,
})
