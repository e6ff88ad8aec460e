import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Backend, createGate, full, type GateConfig, referenceBackend } from '../src/index.js'
import { codeOf, subsets, wave32 } from './helpers.js'

let backend: Backend
beforeAll(async () => {
  backend = await referenceBackend()
})
afterAll(() => backend.dispose())

describe('streaming', () => {
  it.each(subsets)('gives the numbers of the sequence, bit for bit on the reference: %j', async (subset) => {
    const gate = createGate({ dim: 4, experts: 3, ...subset } as GateConfig)
    const params = gate.init({ seed: 9 })
    const x = wave32([2, 5, 4])
    const whole = await gate.route(backend, params, x)
    const stream = await gate.stream(backend, params, { batch: 2 })
    for (let t = 0; t < 5; t++) {
      const token = {
        dtype: 'float32',
        shape: [2, 4],
        data: Float32Array.of(...x.data.slice(4 * t, 4 * t + 4), ...x.data.slice(20 + 4 * t, 24 + 4 * t)),
      } as const
      const { logits } = await stream.step(token)
      for (let b = 0; b < 2; b++)
        expect([...logits.data.slice(3 * b, 3 * b + 3)]).toEqual([
          ...whole.logits.data.slice(15 * b + 3 * t, 15 * b + 3 * t + 3),
        ])
    }
    stream.dispose()
    expect(await codeOf(() => stream.step(wave32([2, 4])))).toBe('FEP_DISPOSED')
  })

  it('takes concurrent steps in call order, snapshots, restores and resets rows', async () => {
    const gate = createGate({ dim: 4, experts: 3, memory: { kind: 'leaky' } })
    const stream = await gate.stream(backend, gate.init({ seed: 9 }), { batch: 2 })
    const token = wave32([2, 4])
    const first = await stream.step(token)
    const saved = await stream.snapshot()
    const [second, third] = await Promise.all([stream.step(token), stream.step(token)])
    expect(third.logits).not.toEqual(second.logits)
    stream.restore(saved)
    expect(await stream.step(token)).toEqual(second)
    await stream.reset([1])
    const mixed = await stream.step(token)
    expect([...mixed.logits.data.slice(3)]).toEqual([...first.logits.data.slice(3)])
    expect([...mixed.logits.data.slice(0, 3)]).toEqual([...third.logits.data.slice(0, 3)])
    stream.restore()
    expect(await stream.step(token)).toEqual(first)
    expect(await codeOf(() => stream.restore({ memory: full([1, 4], 0) }))).toBe('FEP_BAD_FEED')
    expect(await codeOf(() => stream.restore({ ...saved, other: full([1], 0) }))).toBe('FEP_BAD_FEED')
    expect(await codeOf(() => stream.reset([2]))).toBe('FEP_BAD_ARGUMENT')
    expect(await codeOf(() => stream.step(wave32([1, 4])))).toBe('FEP_BAD_FEED')
  })
})
