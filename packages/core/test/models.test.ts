/** Models around a gate, on plain numbers: what a mixture sums up, how a language model starts, what it learns. */
import { describe, expect, it } from 'vitest'
import {
  adam,
  createGate,
  createLanguageModel,
  createMixture,
  type Params,
  referenceBackend,
  type Tensor,
  tensor,
} from '../src/index.js'
import { wave32 } from './helpers.js'

const backend = await referenceBackend({ precision: 'float64' })

describe('a dense mixture', () => {
  const layer = createMixture({ dim: 3, experts: 2, expert: { width: 4, outputs: 2 } })
  const params = layer.init({ seed: 5 })
  const x = wave32([2, 3, 3], 1)
  const noise = wave32([2, 3, 2, 2], 4)

  /** One expert on one token, by the book. */
  function expert(p: Params, e: number, token: ArrayLike<number>): number[] {
    const get = (name: string) => (p[`experts.${e}.net.${name}`] as Tensor).data
    const layerOf = (w: ArrayLike<number>, b: ArrayLike<number>, input: ArrayLike<number>) =>
      Array.from(b, (bias, i) =>
        Array.from(input, (v, j) => v * (w[i * input.length + j] as number)).reduce((n, y) => n + y, bias),
      )
    const hidden = layerOf(get('0.weight'), get('0.bias'), token).map((v) => Math.max(0, v))
    return layerOf(get('2.weight'), get('2.bias'), hidden)
  }

  it('is the weighted sum of its experts and their noise', async () => {
    const { y, outputs, weights } = await layer.run(backend, params, x, { noise })
    for (let n = 0; n < 6; n++) {
      const token = x.data.subarray(3 * n, 3 * n + 3)
      const each = [0, 1].map((e) =>
        expert(params, e, token).map((v, o) => v + (noise.data[(n * 2 + e) * 2 + o] as number)),
      )
      for (let o = 0; o < 2; o++) {
        const want = [0, 1].reduce(
          (sum, e) => sum + (weights.data[2 * n + e] as number) * (each[e]?.[o] as number),
          0,
        )
        expect(y.data[2 * n + o]).toBeCloseTo(want, 10)
        for (let e = 0; e < 2; e++)
          expect(outputs.data[(2 * n + e) * 2 + o]).toBeCloseTo(each[e]?.[o] as number, 10)
      }
    }
  })

  it('reports the error of each expert alone', async () => {
    const targets = wave32([2, 3, 2], 8)
    const trainer = await layer.trainer(backend, params, { optimizer: adam({ lr: 1e-3 }) })
    const step = await trainer.step({ x, targets, noise })
    const { outputs } = await layer.run(backend, params, x, { noise })
    const errors = await step.errors()
    for (let e = 0; e < 2; e++) {
      let sum = 0
      for (let n = 0; n < 6; n++)
        for (let o = 0; o < 2; o++)
          sum += ((outputs.data[(2 * n + e) * 2 + o] as number) - (targets.data[2 * n + o] as number)) ** 2
      expect(errors[e]).toBeCloseTo(sum / 12, 5)
    }
    await trainer.dispose()
  })
})

describe('a language model', () => {
  it('starts as torch starts its layers', () => {
    const model = createLanguageModel({ vocabulary: 40, dim: 50, experts: 2 })
    const params = model.init({ seed: 9 })
    const embedding = Array.from((params['embed.weight'] as Tensor).data)
    const mean = embedding.reduce((n, v) => n + v / embedding.length, 0)
    const variance = embedding.reduce((n, v) => n + v ** 2 / embedding.length, 0)
    expect(Math.abs(mean)).toBeLessThan(0.08)
    expect(Math.abs(variance - 1)).toBeLessThan(0.12)
    expect(new Set(params['norm.weight']?.data)).toEqual(new Set([1]))
    expect(new Set(params['norm.bias']?.data)).toEqual(new Set([0]))
    expect(Math.max(...Array.from((params['head.weight'] as Tensor).data, Math.abs))).toBeLessThanOrEqual(
      1 / Math.sqrt(50),
    )
    expect(new Set(model.init({ seed: 9, scheme: 'zeros' })['embed.weight']?.data)).toEqual(new Set([0]))
    expect(model.params.map((p) => p.name).slice(0, 3)).toEqual([
      'embed.weight',
      'router.W.weight',
      'router.W.bias',
    ])
  })

  it('dispatches on decisions for the next token only where it is told to, and then on nothing else', async () => {
    const router = { memory: { kind: 'leaky' }, anticipation: { kind: 'direct', width: 6 } } as const
    const model = createLanguageModel({ vocabulary: 5, dim: 4, experts: 3, router, dispatchAhead: true })
    const params = model.init({ seed: 2 })
    const ids = tensor(Int32Array.of(0, 3, 1, 4, 2, 2), [2, 3])
    const { weights } = await model.run(backend, params, ids)
    const gate = createGate({ dim: 4, experts: 3, ...router })
    expect(gate.horizon).toBe(1)
    const table = (params['embed.weight'] as Tensor).data
    const embedded = Float32Array.from(
      { length: 24 },
      (_, i) => table[(ids.data[Math.floor(i / 4)] as number) * 4 + (i % 4)] as number,
    )
    const own = Object.fromEntries(gate.params.map(({ name }) => [name, params[`router.${name}`] as Tensor]))
    const ahead = await gate.route(backend, own, tensor(embedded, [2, 3, 4]))
    weights.data.forEach((w: number, i: number) => {
      expect(w).toBeCloseTo(ahead.weights.data[i] as number, 12)
    })
  })

  it('puts document starts and weights where they belong', async () => {
    const router = { memory: { kind: 'leaky' }, anticipation: { kind: 'additive', width: 6 } } as const
    const model = createLanguageModel({ vocabulary: 5, dim: 4, experts: 2, router })
    const params = model.init({ seed: 4 })
    const x = tensor(Int32Array.of(0, 3, 1, 4), [1, 4])
    const y = tensor(Int32Array.of(3, 1, 4, 2), [1, 4])
    const reset = tensor(Uint8Array.of(0, 0, 1, 0), [1, 4], 'bool')
    const whole = await model.evaluate(backend, params, { x, y, reset })
    const part = (t: Tensor, from: number) => tensor(Int32Array.from(t.data.subarray(from, from + 2)), [1, 2])
    const halves = await Promise.all(
      [0, 2].map((from) => model.evaluate(backend, params, { x: part(x, from), y: part(y, from) })),
    )
    const joined = halves.flatMap(({ tokenLoss }) => Array.from(tokenLoss.data))
    joined.forEach((v, i) => {
      expect(whole.tokenLoss.data[i]).toBeCloseTo(v, 12)
    })
    const predicted = halves.reduce((n, { predictionLoss }) => n + predictionLoss / 2, 0)
    expect(whole.predictionLoss).toBeCloseTo(predicted, 12)
    const weights = tensor([0, 5, 0, 1], [1, 4])
    const only = { predictionWeight: 0 } as const
    const byTokens = await model.evaluate(backend, params, { x, y, reset, weights }, only)
    const byWeights = await model.evaluate(
      backend,
      params,
      { x, y, reset, weights },
      { ...only, divideBy: 'weights' },
    )
    const sum = 5 * (joined[1] as number) + (joined[3] as number)
    expect(byTokens.loss).toBeCloseTo(sum / 4, 12)
    expect(byWeights.loss).toBeCloseTo(sum / 6, 12)
    await model.release(backend)
  })
})
