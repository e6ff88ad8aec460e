/** The membrane per expert, its resets and spikes, step by step on plain numbers. */
import { describe, expect, it } from 'vitest'
import {
  createGate,
  type GateConfig,
  type MembraneConfig,
  type Params,
  referenceBackend,
  type Tensor,
  tensor,
} from '../src/index.js'
import { wave32 } from './helpers.js'

const [BATCH, STEPS, DIM, EXPERTS] = [2, 9, 3, 4]
const THRESHOLD = 0.4
const backend = await referenceBackend({ precision: 'float64' })

interface Trace {
  readonly drive: number[]
  readonly after: number[]
}

/** U of one expert over currents, by the rules as they are documented. */
function simulate(reset: MembraneConfig['reset'], beta: number, currents: readonly number[]): Trace {
  let u = 0
  const trace: Trace = { drive: [], after: [] }
  for (const current of currents) {
    const spiked = u > THRESHOLD
    const rest = reset === 'zero' && spiked ? 0 : u
    const drive = beta * rest + current - (reset === 'subtract' && spiked ? THRESHOLD : 0)
    u = reset === 'soft-cap' ? drive - Math.max(drive - THRESHOLD, 0) : drive
    trace.drive.push(drive)
    trace.after.push(u)
  }
  return trace
}

const x = wave32([BATCH, STEPS, DIM], 2)
const config = (memory: Partial<MembraneConfig>, rest: Partial<GateConfig> = {}): GateConfig =>
  ({
    dim: DIM,
    experts: EXPERTS,
    memory: { kind: 'membrane', beta: 0.8, learned: false, threshold: THRESHOLD, ...memory },
    ...rest,
  }) as GateConfig
const params: Params = { 'W.weight': wave32([EXPERTS, DIM], 1), 'W.bias': wave32([EXPERTS], 5) }

/** Currents of one expert in one sequence, W x + b. */
function currentsOf(b: number, e: number): number[] {
  const w = (params['W.weight'] as Tensor).data
  return Array.from({ length: STEPS }, (_, t) =>
    Array.from(
      { length: DIM },
      (_, j) => (w[e * DIM + j] as number) * (x.data[(b * STEPS + t) * DIM + j] as number),
    ).reduce((sum, y) => sum + y, (params['W.bias'] as Tensor).data[e] as number),
  )
}

const at = (t: Tensor, b: number, step: number, e: number) =>
  t.data[(b * STEPS + step) * EXPERTS + e] as number

describe.each(['soft-cap', 'subtract', 'zero', 'none'] as const)('a membrane with reset %s', (reset) => {
  it('follows its equations', async () => {
    const gate = createGate(config({ reset }))
    const { logits, memory } = await gate.route(backend, params, x, { details: true })
    for (let b = 0; b < BATCH; b++)
      for (let e = 0; e < EXPERTS; e++) {
        const want = simulate(reset, 0.8, currentsOf(b, e)).after
        want.forEach((u, t) => {
          expect(at(logits, b, t, e)).toBeCloseTo(u, 10)
          expect(at(memory as Tensor, b, t, e)).toBeCloseTo(u, 10)
        })
      }
  })

  it('spikes where it stands above the threshold, before the cap', async () => {
    const [spiking, selecting] = [
      createGate(config({ reset, output: 'spike' })),
      createGate(config({ reset }, { select: { kind: 'spike' } })),
    ]
    const { logits } = await spiking.route(backend, params, x)
    const { indices, weights, margin } = await selecting.route(backend, params, x)
    expect(indices.shape).toEqual([BATCH, STEPS, EXPERTS])
    let crossings = 0
    for (let b = 0; b < BATCH; b++) {
      const traces = Array.from({ length: EXPERTS }, (_, e) => simulate(reset, 0.8, currentsOf(b, e)))
      for (let t = 0; t < STEPS; t++) {
        const drive = traces.map((trace) => trace.drive[t] as number)
        const crossed = [0, 1, 2, 3].filter((e) => (drive[e] as number) > THRESHOLD)
        crossings += crossed.length
        for (let e = 0; e < EXPERTS; e++) expect(at(logits, b, t, e)).toBe(crossed.includes(e) ? 1 : 0)
        const ranked = [...crossed].sort((i, j) => (drive[j] as number) - (drive[i] as number))
        const found = [0, 1, 2, 3].map((e) => at(indices, b, t, e))
        expect(found).toEqual([...ranked, -1, -1, -1, -1].slice(0, EXPERTS))
        const row = [0, 1, 2, 3].map((e) => at(weights, b, t, e))
        expect(row.filter((w) => w > 0).length).toBe(crossed.length)
        expect(row.reduce((n, w) => n + w, 0)).toBeCloseTo(crossed.length > 0 ? 1 : 0, 10)
        const nearest = Math.min(...drive.map((u) => Math.abs(u - THRESHOLD)))
        expect(margin.data[b * STEPS + t]).toBeCloseTo(nearest, 10)
      }
    }
    expect(crossings).toBeGreaterThan(3)
  })
})

describe('surrogates', () => {
  const derivative = {
    atan: (u: number, a: number) => a / 2 / (1 + ((Math.PI * a * u) / 2) ** 2),
    'fast-sigmoid': (u: number, a: number) => 1 / (1 + a * Math.abs(u)) ** 2,
  }
  it.each(['atan', 'fast-sigmoid'] as const)(
    '%s stands in for the derivative of a spike',
    async (surrogate) => {
      const slope = surrogate === 'atan' ? 2 : 25
      const gate = createGate(config({ reset: 'none', output: 'spike', surrogate }))
      const one = tensor(Float32Array.from(x.data.subarray(0, DIM)), [1, 1, DIM])
      const { outputs, vjp } = await gate.vjp(backend, params, one)
      const cotangent = wave32([1, 1, EXPERTS], 9)
      const found = await vjp({ logits: cotangent })
      for (let e = 0; e < EXPERTS; e++) {
        const u = (currentsOf(0, e)[0] as number) - THRESHOLD
        expect(outputs.logits?.data[e]).toBe(u > 0 ? 1 : 0)
        expect(found['W.bias']?.data[e]).toBeCloseTo(
          (cotangent.data[e] as number) * derivative[surrogate](u, slope),
          10,
        )
      }
    },
  )

  it('a membrane that is not read as spikes has its true gradient', async () => {
    const gate = createGate(config({ reset: 'subtract' }))
    const cotangent = wave32([BATCH, STEPS, EXPERTS], 4)
    const total = async (p: Params) => {
      const { logits } = await gate.route(backend, p, x)
      return Array.from(logits.data).reduce((n, z, i) => n + z * (cotangent.data[i] as number), 0)
    }
    const { vjp } = await gate.vjp(backend, params, x)
    const found = await vjp({ logits: cotangent })
    const bias = (params['W.bias'] as Tensor).data
    for (let e = 0; e < EXPERTS; e++) {
      const moved = (by: number): Params => {
        const data = Float64Array.from(bias)
        data[e] = (data[e] as number) + by
        return { ...params, 'W.bias': { dtype: 'float32', shape: [EXPERTS], data } }
      }
      const h = 1e-6
      const numeric = ((await total(moved(h))) - (await total(moved(-h)))) / (2 * h)
      expect(found['W.bias']?.data[e]).toBeCloseTo(numeric, 4)
    }
  })
})

describe('other memories', () => {
  it('mean pooling at the last step is the mean of all tokens', async () => {
    const gate = createGate({ dim: DIM, experts: EXPERTS, memory: { kind: 'mean' } })
    const plain = createGate({ dim: DIM, experts: EXPERTS })
    const pooled = Float64Array.from({ length: BATCH * DIM }, (_, i) => {
      const [b, j] = [Math.floor(i / DIM), i % DIM]
      return Array.from({ length: STEPS }, (_, t) => x.data[(b * STEPS + t) * DIM + j] as number).reduce(
        (n, y) => n + y / STEPS,
        0,
      )
    })
    const { logits } = await gate.route(backend, params, x)
    const want = await plain.route(backend, params, {
      dtype: 'float32',
      shape: [BATCH, 1, DIM],
      data: pooled,
    })
    for (let b = 0; b < BATCH; b++)
      for (let e = 0; e < EXPERTS; e++)
        expect(at(logits, b, STEPS - 1, e)).toBeCloseTo(want.logits.data[b * EXPERTS + e] as number, 6)
  })

  it('a distribution that is added moves the gate half-way to it', async () => {
    const gate = createGate({
      dim: DIM,
      experts: EXPERTS,
      anticipation: { kind: 'distribution', width: 5 },
      select: { kind: 'top-k', k: 2, softmax: 'before', scale: 2 },
    })
    const mixed = gate.init({ seed: 3 })
    const routed = await gate.route(backend, mixed, x)
    const alone = createGate({ dim: DIM, experts: EXPERTS })
    const own = await alone.route(
      backend,
      { 'W.weight': mixed['W.weight'] as Tensor, 'W.bias': mixed['W.bias'] as Tensor },
      x,
    )
    routed.logits.data.forEach((z: number, i: number) => {
      const sum = (own.weights.data[i] as number) + ((routed.next as Tensor).data[i] as number)
      expect(2 * Math.exp(z)).toBeCloseTo(sum, 10)
      const weight = routed.weights.data[i] as number
      if (weight > 0) expect(weight).toBeCloseTo(sum, 10)
    })
    expect(gate.horizon).toBe(0)
  })

  it('runs sequences of no step', async () => {
    for (const memory of ['membrane', 'probability', 'mean'] as const) {
      const gate = createGate({
        dim: DIM,
        experts: EXPERTS,
        memory: { kind: memory },
        anticipation: { kind: 'distribution' },
      })
      const empty = tensor(new Float32Array(0), [2, 0, DIM])
      const { weights } = await gate.route(backend, gate.init({ seed: 1 }), empty)
      expect(weights.shape).toEqual([2, 0, EXPERTS])
    }
  })
})
