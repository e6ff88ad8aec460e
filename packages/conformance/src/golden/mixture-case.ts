/** Golden mixtures: gate, experts and their errors, gradients of a squared error, and five steps with a tracker. */
import {
  adam,
  createMixture,
  gradients,
  type Mixture,
  type Params,
  precisionTracker,
  preset,
  type Tensor,
  toHost,
  zeros,
} from '@fep-moe/core'
import type { Probe } from '../frame/probe.js'
import { type SkillConfig, swapTime, trackedPrecision } from './skill-case.js'
import { openVectors, type VectorEntry, type Vectors } from './vectors.js'

interface MixtureScript {
  readonly D: number
  readonly E: number
  readonly d_expert: number
  readonly d_out: number
  readonly lr?: number
  readonly adam_betas?: readonly [number, number]
  readonly adam_eps?: number
  readonly momentum?: number
  readonly eps?: number
  readonly var0?: number
}

const vector = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float64Array.from(values),
})
/** Tokens without an axis for time, as sequences of one. */
const asSteps = (t: Tensor): Tensor => ({
  ...t,
  shape: [t.shape[0] as number, 1, ...t.shape.slice(1)],
})
const withoutSteps = (t: Tensor): Tensor => ({ ...t, shape: t.shape.filter((_, i) => i !== 1) })

/** `precision_gating.py`: single tokens, all experts on each. */
export async function checkMixture(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const c = entry.config as unknown as MixtureScript
  const gains = v.names('input.').includes('pi')
  const mixture = createMixture({
    dim: c.D,
    experts: c.E,
    ...(gains
      ? {
          router: {
            precision: {
              kind: 'gain',
              momentum: c.momentum ?? 0.95,
              epsilon: c.eps ?? 1e-4,
              initialVariance: c.var0 ?? 1,
            },
          },
        }
      : {}),
    expert: { width: c.d_expert, outputs: c.d_out },
  })
  const params = Object.fromEntries(mixture.params.map(({ name }) => [name, v.get(`param.${name}`)]))
  const compare = (name: string, t: Tensor) => probe.compare(name, t, v.get(name), v.tolerance(name))
  const precision = gains ? { precision: v.get('input.pi') } : {}
  const x = asSteps(v.get('input.batch0'))
  const targets = asSteps(v.get('input.target0'))
  try {
    const { y, outputs, weights } = await mixture.run(probe.backend, params, x, precision)
    await compare('output.out', withoutSteps(y))
    await compare('output.expert_outs', withoutSteps(outputs))
    await compare('output.gates', withoutSteps(weights))
    const found = await lossOf(mixture, probe, { ...params, ...precision, x, targets }, 'mean')
    await compare('output.loss', { ...(found.loss as Tensor), shape: [1] })
    await compare('output.per_expert_err', found.errors as Tensor)
    for (const { name } of mixture.params) await compare(`grad.${name}`, found[`grad/${name}`] as Tensor)
    if (v.names('after5.').length > 0) await train(mixture, params, v, c, probe)
  } finally {
    await mixture.release(probe.backend)
  }
}

/** Loss, errors and gradients of all parameters. */
async function lossOf(
  mixture: Mixture,
  probe: Probe,
  feeds: Readonly<Record<string, Tensor>>,
  time: 'sum' | 'mean',
): Promise<Record<string, Tensor>> {
  const steps = (feeds.x as Tensor).shape[1] as number
  const graph = mixture.lossGraph({ steps, time })
  const program = await probe.backend.compile(
    gradients(graph, { of: 'loss', wrt: mixture.params.map((p) => p.name) }),
  )
  try {
    const fetched = await program.run(feeds)
    const entries = Object.entries(fetched).map(async ([name, t]) => [name, await toHost(t)] as const)
    const found = Object.fromEntries(await Promise.all(entries))
    for (const t of Object.values(fetched)) t.dispose()
    return found
  } finally {
    program.dispose()
  }
}

async function train(
  mixture: Mixture,
  params: Params,
  v: Vectors,
  c: MixtureScript,
  probe: Probe,
): Promise<void> {
  const [b1, b2] = c.adam_betas as readonly [number, number]
  const optimizer = adam({ lr: c.lr as number, betas: [b1, b2], epsilon: c.adam_eps as number })
  const trainer = await mixture.trainer(probe.backend, params, { optimizer })
  const { precision } = mixture.gate
  const tracker = precision && precisionTracker({ ...tracked(precision), experts: c.E })
  let state = tracker?.init()
  const [losses, history] = [[] as number[], [] as number[]]
  try {
    for (let step = 0; step < 5; step++) {
      const result = await trainer.step({
        x: asSteps(v.get(`input.batch${step}`)),
        targets: asSteps(v.get(`input.target${step}`)),
        ...(state ? { precision: state } : {}),
      })
      losses.push(await result.loss())
      if (!tracker || !state) continue
      state = tracker.update(state, await result.errors())
      history.push(...tracker.precision(state).data)
    }
    const compare = (name: string, t: Tensor) => probe.compare(name, t, v.get(name), v.tolerance(name))
    await compare('output.train_loss', vector(losses))
    if (tracker) await compare('output.pi_history', vector(history, [5, c.E]))
    for (const [name, t] of Object.entries(await trainer.params())) await compare(`after5.${name}`, t)
  } finally {
    await trainer.dispose()
  }
}

const tracked = (p: NonNullable<Mixture['gate']['precision']>) => ({
  momentum: p.momentum,
  epsilon: p.epsilon,
  initialVariance: p.initialVariance,
})

/** The skill's whole layer: memory over probabilities, Π per sequence, an added distribution, the two best experts. */
export async function checkSkillMixture(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const c = entry.config as unknown as SkillConfig & {
    readonly hidden: number
    readonly expert_hidden: number
  }
  const {
    memory,
    precision: evidence,
    anticipation,
    select,
  } = preset('skill/full', { dim: c.D, experts: c.E })
  const mixture = createMixture({
    dim: c.D,
    experts: c.E,
    router: { memory, precision: evidence, select, anticipation: { ...anticipation, width: c.hidden } },
    expert: { width: c.expert_hidden },
  })
  const torchName = (name: string) =>
    name.replace('router.W.', 'gate.gate.').replace('router.predictor.', 'anticipator.predictor.')
  const params = Object.fromEntries(
    mixture.params.map(({ name }) => [name, v.get(`param.${torchName(name)}`)]),
  )
  const compare = (name: string, t: Tensor) => probe.compare(name, t, v.get(name), v.tolerance(name))
  const x = swapTime(v.get('input.x'))
  const { precision } = trackedPrecision(swapTime(v.get('input.errors')), mixture.gate)
  try {
    const { y, indices, logits, weights } = await mixture.run(probe.backend, params, x, { precision })
    await compare('output.y', swapTime(y))
    await compare('output.indices', swapTime(indices))
    // The logits are the logarithm of the mean of two distributions; the script adds them.
    const sums = { ...logits, data: Float64Array.from(logits.data, (z) => 2 * Math.exp(z)) }
    await compare('output.combined', swapTime(sums))
    await compare('output.probs', swapTime(chosenOf(weights, indices)))
    await checkStates(mixture, probe, v, params, { x, precision })
    const feeds = { ...params, x, precision, targets: swapTime(v.get('input.target')) }
    const found = await lossOf(mixture, probe, feeds, 'sum')
    await compare('output.loss', { ...(found.loss as Tensor), shape: [1] })
    for (const { name } of mixture.params)
      await compare(`grad.${torchName(name)}`, found[`grad/${name}`] as Tensor)
  } finally {
    await mixture.release(probe.backend)
  }
}

/** Weights of the selected experts, (B,T,k). */
function chosenOf(weights: Tensor, indices: Tensor): Tensor {
  const [experts, k] = [weights.shape[2] as number, indices.shape[2] as number]
  const data = Float64Array.from(
    indices.data,
    (e, i) => weights.data[Math.floor(i / k) * experts + e] as number,
  )
  return { dtype: 'float32', shape: indices.shape, data }
}

/** The average that the anticipator reads, step by step, and the same layer as a stream. */
async function checkStates(
  mixture: Mixture,
  probe: Probe,
  v: Vectors,
  params: Params,
  { x, precision }: { readonly x: Tensor; readonly precision: Tensor },
): Promise<void> {
  const [batch, steps, dim] = x.shape as [number, number, number]
  const stream = await mixture.stream(probe.backend, params, { batch })
  const [averages, ys] = [zeros([steps, batch, dim]).data, zeros([steps, batch, dim]).data]
  const at = (t: Tensor, step: number) => {
    const width = t.shape[2] as number
    const rows = Array.from({ length: batch }, (_, b) =>
      Array.from(t.data.subarray((b * steps + step) * width, (b * steps + step + 1) * width)),
    )
    return { ...t, shape: [batch, width], data: Float32Array.from(rows.flat()) }
  }
  try {
    for (let t = 0; t < steps; t++) {
      const { y } = await stream.step(at(x, t), { precision: at(precision, t) })
      ys.set(y.data as Float32Array, t * batch * dim)
      const { anticipation } = await stream.snapshot()
      const state = probe.present('anticipation', anticipation).data
      for (let b = 0; b < batch; b++)
        averages.set(state.subarray(b * (dim + 1), b * (dim + 1) + dim), (t * batch + b) * dim)
    }
  } finally {
    stream.dispose()
  }
  const compare = (name: string, data: Float32Array) =>
    probe.compare(`stream ${name}`, { ...v.get(name), data }, v.get(name), v.tolerance(name))
  await compare('output.accumulated_state', averages)
  await compare('output.y', ys)
}
