/** The clock's readings against the recurrences they are the closed form of; its states; Π tracked by the gate. */
import { describe, expect, it } from 'vitest'
import {
  createGate,
  type GateConfig,
  type Params,
  precisionTracker,
  referenceBackend,
  type Tensor,
  tensor,
} from '../src/index.js'
import { wave32 } from './helpers.js'

const backend = await referenceBackend({ precision: 'float64' })
const [DIM, EXPERTS, STEPS] = [3, 2, 7]
const doubles = (values: readonly number[], shape: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float64Array.from(values),
})
const at = (t: Tensor, step: number): Tensor => {
  const width = t.shape[2] as number
  return tensor(Float32Array.from(t.data.slice(step * width, (step + 1) * width)), [1, width])
}

describe('readings', () => {
  it('of integrators are those of dc/dt = −(1 − β) (c − 4) in steps', async () => {
    // Two experts that are shown one integrator each, and nothing else.
    const gate = createGate({ dim: DIM, experts: EXPERTS, bias: false, clock: { integrators: 2 } })
    const beta = [0.5, 0.9]
    const params: Params = {
      'W.weight': doubles(new Array(6).fill(0), [EXPERTS, DIM]),
      'clock.beta_raw': doubles(
        beta.map((b) => Math.log(b / (1 - b))),
        [2],
      ),
      'W_clock.weight': doubles([1, 0, 0, 1], [EXPERTS, 2]),
    }
    const { logits } = await gate.route(backend, params, wave32([1, STEPS, DIM]))
    const c = [0, 0]
    for (let t = 0; t < STEPS; t++)
      beta.forEach((b, k) => {
        c[k] = b * (c[k] as number) + (1 - b) * 4
        expect(logits.data[t * EXPERTS + k]).toBeCloseTo(c[k], 10)
      })
  })

  it('of resonators are those of a rotation that shrinks', async () => {
    const gate = createGate({ dim: DIM, experts: EXPERTS, bias: false, clock: { resonators: 1 } })
    const [omega, rho] = [0.7, 0.95]
    const params: Params = {
      'W.weight': doubles(new Array(6).fill(0), [EXPERTS, DIM]),
      'clock.frequency': doubles([omega], [1]),
      'clock.decay_raw': doubles([Math.log(rho / (1 - rho))], [1]),
      'W_clock.weight': doubles([1, 0, 0, 1], [EXPERTS, 2]),
    }
    const { logits } = await gate.route(backend, params, wave32([1, STEPS, DIM]))
    let [u, v] = [1, 0]
    for (let t = 0; t < STEPS; t++) {
      ;[u, v] = [
        rho * (u * Math.cos(omega) - v * Math.sin(omega)),
        rho * (u * Math.sin(omega) + v * Math.cos(omega)),
      ]
      expect(logits.data[t * EXPERTS]).toBeCloseTo(u, 10)
      expect(logits.data[t * EXPERTS + 1]).toBeCloseTo(v, 10)
    }
  })
})

const memory = { kind: 'leaky' } as const
const CONFIGS: Readonly<Record<string, GateConfig>> = {
  'a clock alone': { dim: DIM, experts: EXPERTS, clock: {} },
  'a clock beside memory': { dim: DIM, experts: EXPERTS, memory, clock: { resonators: 2 } },
  direct: { dim: DIM, experts: EXPERTS, memory, anticipation: { kind: 'direct' }, clock: { integrators: 3 } },
  'additive, with affinity': {
    dim: DIM,
    experts: EXPERTS,
    memory,
    anticipation: { kind: 'additive' },
    clock: { integrators: 2, resonators: 2, affinity: true },
  },
  'straight to logits': {
    dim: DIM,
    experts: EXPERTS,
    memory,
    anticipation: { kind: 'logits', width: 4 },
    clock: {},
  },
  'surprise reset': {
    dim: DIM,
    experts: EXPERTS,
    memory,
    anticipation: { kind: 'direct' },
    clock: { integrators: 2, surpriseReset: true },
  },
}

describe.each(Object.entries(CONFIGS))('%s', (_name, config) => {
  it('streams the numbers of the sequence, and starts afresh with a document', async () => {
    const gate = createGate(config)
    const params = gate.init({ seed: 2 })
    const x = wave32([1, STEPS, DIM], 1)
    const reset = tensor(Uint8Array.of(0, 0, 0, 1, 0, 0, 0), [1, STEPS], 'bool')
    const whole = await gate.route(backend, params, x, { reset })
    const alone = await gate.route(backend, params, tensor(x.data.slice(9) as Float32Array, [1, 4, DIM]))
    alone.logits.data.forEach((z: number, i: number) => {
      expect(whole.logits.data[6 + i]).toBeCloseTo(z, 6)
    })
    const stream = await gate.stream(backend, params)
    for (let t = 0; t < STEPS; t++) {
      if (t === 3) await stream.reset()
      const { logits } = await stream.step(at(x, t))
      logits.data.forEach((z: number, e: number) => {
        expect(z).toBeCloseTo(whole.logits.data[t * EXPERTS + e] as number, 6)
      })
    }
    expect((await stream.snapshot()).clock?.shape).toEqual([1, 1])
    stream.dispose()
  })
})

it('a surprise sets clock and memory back, by the share that its gate gives', async () => {
  const gate = createGate({
    dim: 1,
    experts: 1,
    bias: false,
    memory: { kind: 'leaky', beta: 0.5, learned: false },
    clock: { integrators: 1, surpriseReset: true },
  })
  const params: Params = {
    'W.weight': doubles([1], [1, 1]),
    'clock.beta_raw': doubles([0], [1]),
    'W_clock.weight': doubles([0], [1, 1]),
    'clock.surprise_log_pi': doubles([Math.log(2)], [1]),
    'clock.surprise_slope': doubles([1.5], [1]),
    'clock.surprise_offset': doubles([-4], [1]),
  }
  const x = [1, 1, -3, -2]
  const { logits } = await gate.route(backend, params, doubles(x, [1, 4, 1]))
  let [h, age] = [0, 0]
  const stream = await gate.stream(backend, params)
  for (const [t, token] of x.entries()) {
    const share = 1 / (1 + Math.exp(-(1.5 * 2 * (token - 0.5 * h) ** 2 - 4)))
    h = 0.5 * (1 - share) * h + token
    age = (1 - share) * age + 1
    expect(logits.data[t]).toBeCloseTo(h, 9)
    await stream.step(doubles([token], [1, 1]))
    expect((await stream.snapshot()).clock?.data[0]).toBeCloseTo(age, 6)
  }
  stream.dispose()
})

describe('Π tracked by the gate', () => {
  const size = { dim: DIM, experts: EXPERTS }
  const feedback = tensor([-1, -1, 0.2, 3, -1, 0, 0.5, 0.1], [1, 4, EXPERTS])
  it.each(['evidence', 'gain'] as const)('is the tracker’s, fed the same errors: %s', async (kind) => {
    const gate = createGate({ ...size, precision: { kind, scope: 'tracked', momentum: 0.7 } })
    const params = gate.init({ seed: 1 })
    const x = wave32([1, 4, DIM])
    const found = await gate.route(backend, params, x, { feedback })
    const plain = createGate(size)
    const { logits } = await plain.route(backend, params, x)
    const tracker = precisionTracker({ experts: 1, momentum: 0.7, epsilon: kind === 'gain' ? 1e-4 : 1e-8 })
    for (let e = 0; e < EXPERTS; e++) {
      let state = tracker.init()
      for (let t = 0; t < 4; t++) {
        const error = feedback.data[t * EXPERTS + e] as number
        if (error >= 0) state = tracker.update(state, [error])
        const pi = tracker.precision(state).data[0] as number
        const z = logits.data[t * EXPERTS + e] as number
        expect(found.logits.data[t * EXPERTS + e]).toBeCloseTo(kind === 'gain' ? z * pi : z + Math.log(pi), 5)
      }
    }
  })

  it('learns its momentum and exponent', async () => {
    const gate = createGate({ ...size, precision: { kind: 'evidence', scope: 'tracked', learned: true } })
    const params = gate.init({ seed: 1 })
    const { vjp } = await gate.vjp(backend, params, wave32([1, 4, DIM]), { feedback })
    const found = await vjp({ logits: wave32([1, 4, EXPERTS]) })
    for (const name of ['precision.momentum_raw', 'precision.exponent_raw'])
      expect(found[name]?.data[0]).not.toBe(0)
  })
})
