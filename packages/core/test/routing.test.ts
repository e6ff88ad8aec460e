import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Backend,
  createGate,
  full,
  type GateConfig,
  NO_CONTENDER,
  preset,
  referenceBackend,
  type Tensor,
} from '../src/index.js'
import { codeOf, subsets, wave32 } from './helpers.js'

let backend: Backend
beforeAll(async () => {
  backend = await referenceBackend()
})
afterAll(() => backend.dispose())

const sums = (t: Tensor) =>
  Array.from({ length: t.data.length / (t.shape.at(-1) as number) }, (_, r) =>
    [...t.data.slice(r * (t.shape.at(-1) as number), (r + 1) * (t.shape.at(-1) as number))].reduce(
      (n, v) => n + v,
      0,
    ),
  )

describe('routing', () => {
  it.each(subsets)('every combination returns distributions of the right shape: %j', async (subset) => {
    for (const [d, E, T, B] of [
      [5, 3, 4, 2],
      [1, 1, 1, 1],
    ] as const) {
      const gate = createGate({ dim: d, experts: E, ...subset } as GateConfig)
      const routing = await gate.route(backend, gate.init({ seed: 3 }), wave32([B, T, d]))
      expect(routing.weights.shape).toEqual([B, T, E])
      expect(routing.indices.shape).toEqual([B, T, 1])
      expect(routing.margin.shape).toEqual([B, T])
      for (const s of sums(routing.weights)) expect(s).toBeCloseTo(1, 5)
      expect('next' in routing).toBe('anticipation' in subset)
      if (routing.next) for (const s of sums(routing.next)) expect(s).toBeCloseTo(1, 5)
      if (E === 1) expect(routing.margin.data[0]).toBe(Math.fround(NO_CONTENDER))
    }
  })

  it('selects k experts, weights of the others are zero', async () => {
    for (const softmax of ['before', 'after'] as const) {
      const gate = createGate({ dim: 4, experts: 5, select: { kind: 'top-k', k: 2, softmax } })
      const { weights, indices, margin, logits } = await gate.route(
        backend,
        gate.init({ seed: 1 }),
        wave32([2, 3, 4]),
      )
      expect(indices.shape).toEqual([2, 3, 2])
      for (let r = 0; r < 6; r++) {
        const z = [...logits.data.slice(5 * r, 5 * r + 5)]
        const order = z.map((_, i) => i).sort((a, b) => (z[b] as number) - (z[a] as number))
        expect([...indices.data.slice(2 * r, 2 * r + 2)]).toEqual(order.slice(0, 2))
        expect(margin.data[r]).toBeCloseTo(
          (z[order[1] as number] as number) - (z[order[2] as number] as number),
          5,
        )
        const exps = z.map((v) => Math.exp(v))
        const among = softmax === 'before' ? order : order.slice(0, 2)
        const total = among.reduce((n, i) => n + (exps[i] as number), 0)
        z.forEach((_, i) =>
          expect(weights.data[5 * r + i]).toBeCloseTo(
            order.slice(0, 2).includes(i) ? (exps[i] as number) / total : 0,
            5,
          ),
        )
      }
    }
  })

  it('breaks ties by the lower index', async () => {
    const gate = createGate({ dim: 2, experts: 4, select: { kind: 'top-k', k: 2 } })
    const { indices } = await gate.route(backend, gate.init({ seed: 1, scheme: 'zeros' }), wave32([1, 2, 2]))
    expect([...indices.data]).toEqual([0, 1, 0, 1])
  })

  it('stays finite where tokens are huge', async () => {
    for (const subset of subsets) {
      const gate = createGate({ dim: 3, experts: 3, ...subset } as GateConfig)
      const x = {
        ...wave32([1, 4, 3]),
        data: Float32Array.from([3e38, -3e38, 3e38, -3e38, 3e38, 0, 1e-38, 0, 3e38, 3e38, 3e38, 3e38]),
      }
      const routing = await gate.route(backend, gate.init({ seed: 2 }), x)
      for (const t of [routing.weights, routing.logits, routing.margin])
        expect([...t.data].every(Number.isFinite)).toBe(true)
    }
  })

  it('a reset starts a document afresh', async () => {
    const gate = createGate(preset('paper-a/additive', { dim: 4, experts: 3 }))
    const params = gate.init({ seed: 5 })
    const x = wave32([1, 6, 4])
    const reset: Tensor = { dtype: 'bool', shape: [1, 6], data: Uint8Array.of(0, 0, 0, 1, 0, 0) }
    const packed = await gate.route(backend, params, x, { reset })
    const second = await gate.route(backend, params, {
      dtype: 'float32',
      shape: [1, 3, 4],
      data: x.data.slice(12),
    })
    second.weights.data.forEach((v: number, i: number) =>
      expect(packed.weights.data[9 + i]).toBeCloseTo(v, 6),
    )
  })

  it('evaluation never changes what it was given', async () => {
    const gate = createGate(preset('paper-a/full', { dim: 4, experts: 3 }))
    const params = gate.init({ seed: 5 })
    const before = structuredClone(params)
    const first = await gate.route(backend, params, wave32([1, 3, 4]))
    expect(await gate.route(backend, params, wave32([1, 3, 4]))).toEqual(first)
    expect(params).toEqual(before)
  })

  it('refuses wrong tokens, parameters and options', async () => {
    const gate = createGate({ dim: 4, experts: 3 })
    const params = gate.init({ seed: 1 })
    const x = wave32([1, 3, 4])
    const { 'W.bias': _, ...incomplete } = params
    const cases: [string, () => unknown][] = [
      ['FEP_BAD_FEED', () => gate.route(backend, params, wave32([3, 4]))],
      ['FEP_BAD_FEED', () => gate.route(backend, params, wave32([1, 3, 5]))],
      ['FEP_BAD_FEED', () => gate.route(backend, params, { ...x, data: new Float32Array(3) })],
      ['FEP_BAD_FEED', () => gate.route(backend, params, { ...x, data: new Float64Array(12) })],
      ['FEP_BAD_FEED', () => gate.route(backend, params, x, { reset: full([1, 2], 0, 'bool') })],
      ['FEP_BAD_PARAMS', () => gate.route(backend, incomplete, x)],
      ['FEP_BAD_PARAMS', () => gate.route(backend, { ...params, extra: full([1], 0) }, x)],
      ['FEP_BAD_PARAMS', () => gate.route(backend, { ...params, 'W.bias': full([4], 0) }, x)],
      ['FEP_UNSUPPORTED', () => gate.route(backend, params, x, { precision: full([3], 1) })],
      [
        'FEP_UNSUPPORTED',
        () => createGate(preset('paper-a/oracle', { dim: 4, experts: 3 })).stream(backend, params),
      ],
      ['FEP_BAD_ARGUMENT', () => gate.stream(backend, params, { batch: 0 })],
      ['FEP_BAD_ARGUMENT', () => referenceBackend({ precision: 'float16' as never })],
    ]
    for (const [code, body] of cases) expect(await codeOf(body)).toBe(code)
  })
})
