/** Gradients of whole gates, against the float64 reference; and gates fed with numbers at the edge of float32. */
import {
  type Backend,
  createGate,
  type GateConfig,
  referenceBackend,
  type Tensor,
  tensor,
} from '@fep-moe/core'
import { EXACT, type ProcedureCase } from '../frame/case.js'
import { noise } from '../frame/data.js'
import { GAP_RTOL, gapTolerance } from '../frame/gap.js'
import type { Probe } from '../frame/probe.js'
import { configOf, gateCase, type Mechanisms, sceneOf } from './case.js'
import { RARER } from './rarer.js'

const memory = { kind: 'leaky', beta: 0.9 } as const
const size = { dim: 5, experts: 4 }

const CONFIGS: Readonly<Record<string, Mechanisms>> = {
  affinity: size,
  beta: { ...size, memory },
  'beta+gain+direct': {
    ...size,
    memory,
    precision: { kind: 'gain' },
    anticipation: { kind: 'direct', width: 6 },
  },
  'beta+evidence+additive': {
    ...size,
    memory,
    precision: { kind: 'evidence' },
    anticipation: { kind: 'additive', width: 6 },
  },
  'additive-low-rank': { ...size, anticipation: { kind: 'additive', width: 6, depth: 2, rank: 3 } },
  'beta/top-2-before': { ...size, memory, select: { kind: 'top-k', k: 2, softmax: 'before' } },
  'beta+additive/top-2-after': {
    ...size,
    memory,
    anticipation: { kind: 'additive', width: 6 },
    select: { kind: 'top-k', k: 2 },
  },
}

async function pullBack(backend: Backend, config: GateConfig, seed: number) {
  const { gate, params, x, options } = sceneOf(config, { batch: 3, steps: 6, seed })
  const { outputs, vjp } = await gate.vjp(backend, params, x, options)
  const names = (['weights', 'logits', 'next', 'prediction'] as const).filter((name) => outputs[name])
  const cotangents = Object.fromEntries(
    names.map((name, k) => [name, noise(seed + 10 + k, (outputs[name] as Tensor).shape)]),
  )
  const gradients = await vjp(cotangents)
  await gate.release(backend)
  return gradients
}

async function checkVjp(probe: Probe, config: GateConfig, seed: number): Promise<void> {
  const exact = await pullBack(await referenceBackend({ precision: 'float64' }), config, seed)
  const single = await pullBack(await referenceBackend(), config, seed)
  const got = await pullBack(probe.backend, config, seed)
  for (const [name, want] of Object.entries(exact)) {
    await probe.compare(
      name,
      probe.present(name, got[name]),
      want,
      gapTolerance(want, single[name] as Tensor),
    )
  }
}

const HUGE = 3.4e38

/** Π and tokens from the whole range of float32, 0 and the largest numbers included. */
async function checkFinite(probe: Probe, config: GateConfig): Promise<void> {
  const gate = createGate(config)
  const params = gate.init({ seed: 501 })
  const x = tensor(
    [HUGE, -HUGE, 1, 1e30, 0, HUGE, HUGE, HUGE, HUGE, HUGE, -HUGE, 1e-30, 1e20, -1e20, 3, 0, 0, 0, 0, 0],
    [2, 2, 5],
  )
  for (const pi of config.precision
    ? [
        [0, HUGE, 1, 1e-30],
        [HUGE, HUGE, HUGE, HUGE],
      ]
    : [[]]) {
    const everyToken = Array.from({ length: 4 }, () => pi).flat()
    const precision = config.precision?.scope === 'sequence' ? tensor(everyToken, [2, 2, 4]) : tensor(pi)
    const told = { dtype: 'float32' as const, shape: [2, 2, 4], data: Float32Array.from(everyToken) }
    const tracked = config.precision?.scope === 'tracked'
    const options = tracked ? { feedback: told } : config.precision ? { precision } : {}
    for (const [name, t] of Object.entries(await gate.route(probe.backend, params, x, options))) {
      if (typeof t === 'object')
        probe.check((t.data as Float32Array).every(Number.isFinite), `${name} holds NaN or an infinity`)
    }
  }
  await gate.release(probe.backend)
}

/** See the file's header. */
export const vjp = (): ProcedureCase[] =>
  [
    ...Object.entries(CONFIGS).map(([name, m]) => [name, configOf(m)] as const),
    ...Object.entries(RARER),
  ].flatMap(([name, config], k) => [
    gateCase(
      `vjp/${name}`,
      420 + k,
      { atol: 0, rtol: GAP_RTOL },
      'against the float64 reference, 16 times the gap of plain float32',
      (probe) => checkVjp(probe, config, 420 + k),
    ),
    gateCase(`finite/${name}`, 501, EXACT, 'no NaN and no infinity from finite tokens', (probe) =>
      checkFinite(probe, config),
    ),
  ])
