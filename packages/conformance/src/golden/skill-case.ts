/** The gate of the agent skill: a memory over probabilities, and Π as evidence, of every sequence its own. */
import {
  createGate,
  type Gate,
  type GateConfig,
  gradients,
  type Params,
  precisionTracker,
  preset,
  type ResolvedGateConfig,
  type Tensor,
  toHost,
  transpose,
} from '@fep-moe/core'
import { lossGraph, resolveLoss } from '@fep-moe/core/training'
import type { Probe } from '../frame/probe.js'
import { stepOf } from '../frame/steps.js'
import { openVectors, type VectorEntry, type Vectors } from './vectors.js'

/** Sizes and constants that the script states. */
export interface SkillConfig {
  readonly D: number
  readonly E: number
  readonly B: number
  readonly T: number
  readonly tau: number
}

/** The script walks through time first. */
export const swapTime = (t: Tensor): Tensor =>
  transpose(
    t,
    t.shape.map((_, i) => (i < 2 ? 1 - i : i)),
  )

/** Variances after each step (B,T,E), and the Π that each step is routed with, from squared errors. */
export function trackedPrecision(
  errors: Tensor,
  config: ResolvedGateConfig,
): { variance: Tensor; precision: Tensor } {
  const { momentum, epsilon, initialVariance } = config.precision as NonNullable<typeof config.precision>
  const [rows, steps, experts] = errors.shape as [number, number, number]
  const tracker = precisionTracker({ experts, rows, momentum, epsilon, initialVariance })
  let state = tracker.init()
  const [variance, precision] = [new Float64Array(errors.data.length), new Float32Array(errors.data.length)]
  for (let t = 0; t < steps; t++) {
    const pi = tracker.precision(state).data
    state = tracker.update(
      state,
      stepOf(errors, t).data.map((e: number) => e * e),
    )
    for (let b = 0; b < rows; b++) {
      const at = (b * steps + t) * experts
      for (let e = 0; e < experts; e++) {
        precision[at + e] = pi[b * experts + e] as number
        variance[at + e] = state.variance[b * experts + e] as number
      }
    }
  }
  const like = (data: Float32Array | Float64Array): Tensor => ({
    dtype: 'float32',
    shape: errors.shape,
    data,
  })
  return { variance: like(variance), precision: like(precision) }
}

/** b = b e^{−1/τ} + signal: `leaky` with a fixed time constant. */
export async function checkLeak(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const { E, tau } = entry.config as unknown as SkillConfig
  const gate = createGate({ dim: E, experts: 1, memory: { kind: 'leaky', tau } })
  const x = swapTime(v.get('input.signal'))
  const { memory } = await gate.route(probe.backend, gate.init({ seed: 1 }), x, { details: true })
  await probe.compare(
    'memory',
    swapTime(probe.present('memory', memory)),
    v.get('output.beta'),
    v.tolerance('output.beta'),
  )
  await gate.release(probe.backend)
}

/** The gate alone: probabilities, memory, variances, and both gradients. */
export async function checkSkillGate(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const { D, E, tau } = entry.config as unknown as SkillConfig
  const config = {
    ...preset('skill/gate', { dim: D, experts: E }),
    memory: { kind: 'probability', tau },
  } as const satisfies GateConfig
  const gate: Gate = createGate<GateConfig>(config)
  const params = { 'W.weight': v.get('param.gate.weight'), 'W.bias': v.get('param.gate.bias') }
  const x = swapTime(v.get('input.x'))
  const { variance, precision } = trackedPrecision(swapTime(v.get('input.errors')), gate.config)
  const compare = (name: string, t: Tensor) => probe.compare(name, t, v.get(name), v.tolerance(name))
  try {
    const { weights, memory } = await gate.route(probe.backend, params, x, { precision, details: true })
    await compare('output.routing_probs', swapTime(weights))
    await compare('output.beta', swapTime(probe.present('memory', memory)))
    await compare('output.error_var', swapTime(variance))
    for (const detach of [false, true]) {
      const one: GateConfig = { ...config, memory: { ...config.memory, detach } }
      await checkGradients(probe, v, one, params, { x, precision })
    }
  } finally {
    await gate.release(probe.backend)
  }
}

async function checkGradients(
  probe: Probe,
  v: Vectors,
  config: GateConfig,
  params: Params,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<void> {
  const { config: resolved } = createGate(config)
  const steps = (feeds.x as Tensor).shape[1] as number
  const loss = resolveLoss(resolved, { kind: 'cross-entropy', time: 'sum' })
  const graph = gradients(lossGraph(resolved, { steps, loss }), { of: 'loss', wrt: Object.keys(params) })
  const program = await probe.backend.compile(graph)
  try {
    const fetched = await program.run({ ...params, ...feeds, targets: swapTime(v.get('input.targets')) })
    const scalar = await toHost(probe.present('loss', fetched.loss))
    await probe.compare('loss', { ...scalar, shape: [1] }, v.get('output.loss'), v.tolerance('output.loss'))
    const detached = resolved.memory?.kind === 'probability' && resolved.memory.detach
    for (const key of Object.keys(params)) {
      const name = `${detached ? 'output.graddetached' : 'grad'}.${key.replace('W.', 'gate.')}`
      await probe.compare(name, probe.present(name, fetched[`grad/${key}`]), v.get(name), v.tolerance(name))
    }
    for (const t of Object.values(fetched)) t.dispose()
  } finally {
    program.dispose()
  }
}
