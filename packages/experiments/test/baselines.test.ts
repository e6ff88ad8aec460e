import { adam, type Backend, random, referenceBackend, type Tensor } from '@fep-moe/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type BaselineConfig,
  baselineKinds,
  bayesFilter,
  createBaseline,
  fitBaseline,
  openSwitching,
  routingScorer,
  switchingTasks,
  uniformly,
} from '../src/index.js'

let backend: Backend
beforeAll(async () => {
  backend = await referenceBackend()
})
afterAll(() => backend.dispose())

const tokens = (shape: readonly number[], seed: number): Tensor => {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1))
  random(seed, 'test').fillNormal(data)
  return { dtype: 'float32', shape, data }
}

/** Slice t of (f,T,B), as (f,1,B). */
function at({ shape, data }: Tensor, t: number): Tensor {
  const [features, steps, batch] = shape as [number, number, number]
  const out = new Float32Array(features * batch)
  for (let f = 0; f < features; f++)
    for (let b = 0; b < batch; b++) out[f * batch + b] = data[(f * steps + t) * batch + b] as number
  return { dtype: 'float32', shape: [features, 1, batch], data: out }
}

const configs: BaselineConfig[] = baselineKinds.flatMap((kind) =>
  [1, 2].map((layers) => ({
    kind,
    dim: 5,
    experts: 3,
    hidden: 4,
    layers,
    ...(kind === 'convolution' ? { kernel: 3 } : {}),
  })),
)

describe('routers to compare with', () => {
  it.each(configs)('give the same token by token: $kind, $layers layers', async (config) => {
    const router = createBaseline(config)
    const params = router.init({ seed: 3 })
    const x = tokens([5, 7, 2], 1)
    const whole = await router.evaluator(backend, params, { steps: 7 })
    const { logits } = await whole.run(x)
    expect(logits.shape).toEqual([3, 7, 2])
    const single = await router.evaluator(backend, params, { steps: 1, state: true })
    let state = router.initialState(2)
    for (let t = 0; t < 7; t++) {
      const found = await single.run(at(x, t), state)
      state = found.state
      const expected = at(logits, t).data
      found.logits.data.forEach((z, i) => {
        expect(z).toBeCloseTo(expected[i] as number, 5)
      })
    }
    whole.dispose()
    single.dispose()
  })

  it.each(configs)('do not look ahead: $kind, $layers layers', async (config) => {
    const router = createBaseline(config)
    const program = await router.evaluator(backend, router.init({ seed: 3 }), { steps: 6 })
    const x = tokens([5, 6, 1], 1)
    const before = (await program.run(x)).logits.data.slice()
    for (let d = 0; d < 5; d++) x.data[d * 6 + 4] = 9
    const after = (await program.run(x)).logits.data
    for (let e = 0; e < 3; e++) {
      for (let t = 0; t < 4; t++) expect(after[e * 6 + t]).toBe(before[e * 6 + t])
      expect(after[e * 6 + 4]).not.toBe(before[e * 6 + 4])
    }
    program.dispose()
  })

  it('a convolution is torch.nn.Conv1d with zeros before the first token', async () => {
    const router = createBaseline({ kind: 'convolution', dim: 1, experts: 1, hidden: 1, kernel: 3 })
    const value = (shape: readonly number[], ...data: number[]): Tensor => ({
      dtype: 'float32',
      shape,
      data: Float32Array.from(data),
    })
    const params = {
      'layers.0.weight': value([1, 1, 3], 100, 10, 1),
      'layers.0.bias': value([1], 0.5),
      'W.weight': value([1, 1], 2),
      'W.bias': value([1], 1),
    }
    const program = await router.evaluator(backend, params, { steps: 4 })
    const { logits } = await program.run(value([1, 4, 1], 1, 2, 3, -9))
    expect(Array.from(logits.data)).toEqual([4, 26, 248, 444])
    program.dispose()
  })

  it('say what they cost', () => {
    const gru = createBaseline({ kind: 'gru', dim: 16, experts: 4, hidden: 32 })
    expect(gru.cost).toMatchObject({ parameters: 3 * 32 * 48 + 6 * 32 + 4 * 33, state: 32 })
    // The products alone are 2 (3 · 32 · 48 + 4 · 32).
    expect(gru.cost.flops).toBeGreaterThan(2 * (3 * 32 * 48 + 4 * 32))
    expect(gru.cost.flops).toBeLessThan(1.2 * 2 * (3 * 32 * 48 + 4 * 32))
    const minGru = createBaseline({ kind: 'min-gru', dim: 16, experts: 4, hidden: 32, layers: 2 })
    expect(minGru.cost).toMatchObject({ parameters: 2 * 32 * 17 + 2 * 32 * 33 + 4 * 33, state: 64 })
    const convolution = createBaseline({ kind: 'convolution', dim: 16, experts: 4, hidden: 8 })
    expect(convolution.cost).toMatchObject({ parameters: 8 * 16 * 8 + 8 + 36, state: 7 * 16 })
  })

  it('are made as large as a budget allows', () => {
    const shape = { kind: 'gru', dim: 16, experts: 4 } as const
    for (const parameters of [65, 148, 5000]) {
      const { cost, config } = fitBaseline(shape, { parameters })
      expect(cost.parameters).toBeLessThanOrEqual(parameters)
      expect(
        createBaseline({ ...config, kernel: undefined, hidden: config.hidden + 1 } as never).cost.parameters,
      ).toBeGreaterThan(parameters)
    }
    expect(fitBaseline(shape, { state: 64 }).config.hidden).toBe(64)
    expect(fitBaseline({ ...shape, kind: 'min-gru', layers: 2 }, { state: 64 }).config.hidden).toBe(32)
    const attempts = [
      () => fitBaseline(shape, { parameters: 60 }),
      () => fitBaseline({ ...shape, kind: 'convolution' }, { state: 200 }),
      () => createBaseline({ ...shape, hidden: 0 }),
      () => createBaseline({ ...shape, hidden: 4, kernel: 3 }),
      () => createBaseline({ ...shape, kind: 'lstm', hidden: 4 } as never),
    ]
    for (const attempt of attempts)
      expect(attempt).toThrow(expect.objectContaining({ code: 'FEP_BAD_CONFIG' }))
  })

  it.each<BaselineConfig>([
    { kind: 'gru', dim: 4, experts: 2, hidden: 8 },
    { kind: 'min-gru', dim: 4, experts: 2, hidden: 8, layers: 2 },
    { kind: 'convolution', dim: 4, experts: 2, hidden: 12, kernel: 6 },
  ])('learn when domains end, which no single token tells: $kind', async (config) => {
    const task = {
      ...switchingTasks.renewal,
      ...{ batch: 32, steps: 16, dim: 4, domains: 2, experts: 2, noise: 0.3, successor: 1 },
      duration: uniformly(3),
      scored: { from: 4, to: 16 },
    }
    const stream = openSwitching(task, 1)
    const router = createBaseline(config)
    const trainer = router.trainer(backend, router.init({ seed: 1 }), { optimizer: adam({ lr: 0.02 }) })
    const losses: number[] = []
    for (let step = 0; step < 150; step++) losses.push(await (await trainer.step(stream.next())).loss())
    // With one end in three steps, a router without memory cannot get below the entropy of 1/3.
    const last = losses.slice(-10).reduce((a, b) => a + b) / 10
    expect(last).toBeLessThan(0.45)
    const scorer = routingScorer(task)
    const batch = stream.next()
    scorer.add(batch, bayesFilter(task)(batch).probabilities)
    expect(scorer.scores().all.logLoss.mean).toBeLessThan(last)
    await trainer.dispose()
  })

  it('train through cut sequences, with the state carried', async () => {
    const router = createBaseline({ kind: 'gru', dim: 4, experts: 2, hidden: 3 })
    const params = router.init({ seed: 2 })
    const trainer = router.trainer(backend, params, { optimizer: adam({ lr: 0 }) })
    const x = tokens([4, 6, 2], 5)
    const program = await router.evaluator(backend, params, { steps: 6 })
    const { logits } = await program.run(x)
    const cut = (from: number, steps: number): Tensor => {
      const parts = Array.from({ length: steps }, (_, i) => at(x, from + i).data)
      const data = new Float32Array(4 * steps * 2)
      parts.forEach((part, t) => {
        for (let d = 0; d < 4; d++)
          for (let b = 0; b < 2; b++) data[(d * steps + t) * 2 + b] = part[d * 2 + b] as number
      })
      return { dtype: 'float32', shape: [4, steps, 2], data }
    }
    const targets: Tensor = { dtype: 'int32', shape: [3, 2], data: new Int32Array(6) }
    const first = await trainer.step({ x: cut(0, 3), targets, state: router.initialState(2) })
    const second = await trainer.step({ x: cut(3, 3), targets, state: await first.state() })
    const found = await second.logits()
    for (let t = 0; t < 3; t++)
      at(found, t).data.forEach((z, i) => {
        expect(z).toBeCloseTo(at(logits, t + 3).data[i] as number, 5)
      })
    const whole = await trainer.step({ x: cut(0, 3), targets })
    await expect(whole.state()).rejects.toMatchObject({ code: 'FEP_BAD_ARGUMENT' })
    program.dispose()
    await trainer.dispose()
  })
})
