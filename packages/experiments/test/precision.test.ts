import { type Backend, createMixture, referenceBackend } from '@fep-moe/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openNoisyExperts, precisionGating, type Run } from '../src/index.js'

const small = {
  ...precisionGating.settings({ seeds: [1], epochs: 12 }),
  batch: 16,
  scoredEpochs: 4,
  width: 8,
}
let backend: Backend
beforeAll(async () => {
  backend = await referenceBackend()
})
afterAll(() => backend.dispose())
const run = (condition: string, change: object = {}) =>
  precisionGating.run(backend, { condition, seed: 1 }, { ...small, ...change })

describe('the regression with noisy experts', () => {
  const size = { batch: 256, dim: 16, experts: 4 }
  const deviations = [0.1, 0.5, 1.5, 0.5]

  it('asks for the mean of one half of the token, drawn by a fair coin', () => {
    const stream = openNoisyExperts(size, 3)
    let [first, squares, tokens, products, targetSquares] = [0, 0, 0, 0, 0]
    const noiseSquares = [0, 0, 0, 0]
    for (let i = 0; i < 40; i++) {
      const { x, targets, noise } = stream.next(deviations)
      expect([x.shape, targets.shape, noise.shape]).toEqual([
        [256, 1, 16],
        [256, 1, 1],
        [256, 1, 4, 1],
      ])
      for (let b = 0; b < 256; b++) {
        const token = Array.from(x.data.subarray(b * 16, (b + 1) * 16))
        const mean = (list: readonly number[]) => list.reduce((a, z) => a + z, 0) / 8
        const halves = [mean(token.slice(0, 8)), mean(token.slice(8))] as const
        const target = targets.data[b] as number
        const domain = Math.abs(target - halves[0]) < 1e-6 ? 0 : 1
        expect(Math.abs(target - halves[domain])).toBeLessThan(1e-6)
        first += 1 - domain
        tokens++
        squares += token.reduce((a, z) => a + z * z, 0) / 16
        products += (target - (halves[0] + halves[1]) / 2) ** 2
        targetSquares += target ** 2
        for (let e = 0; e < 4; e++)
          noiseSquares[e] = (noiseSquares[e] as number) + (noise.data[b * 4 + e] as number) ** 2
      }
    }
    // 10,240 tokens; five standard errors.
    expect(Math.abs(first / tokens - 0.5)).toBeLessThan(0.025)
    expect(Math.abs(squares / tokens - 1)).toBeLessThan(0.018)
    expect(Math.abs(targetSquares / tokens - 1 / 8)).toBeLessThan(0.009)
    // What the best guess leaves: 1/16.
    expect(Math.abs(products / tokens - 1 / 16)).toBeLessThan(0.0045)
    deviations.forEach((sd, e) => {
      expect(Math.abs(Math.sqrt((noiseSquares[e] as number) / tokens) / sd - 1)).toBeLessThan(0.035)
    })
  })

  it('is the same for a seed whatever the deviations, but for the size of the noise', () => {
    const [one, two] = [openNoisyExperts(size, 5), openNoisyExperts(size, 5)]
    one.next(deviations)
    two.next([1, 1, 1, 1])
    const [a, b] = [one.next(deviations), two.next([0.2, 1, 3, 1])]
    expect(a.x.data).toEqual(b.x.data)
    expect(a.targets.data).toEqual(b.targets.data)
    for (let i = 0; i < 1024; i++)
      expect(b.noise.data[i] as number).toBeCloseTo(2 * (a.noise.data[i] as number), 5)
    expect(openNoisyExperts(size, 6).next(deviations).x.data).not.toEqual(
      openNoisyExperts(size, 5).next(deviations).x.data,
    )
  })
})

describe('settings', () => {
  it('are the paper’s; the swap stays in the middle', () => {
    expect(precisionGating.settings()).toMatchObject({
      epochs: 1000,
      batch: 256,
      dim: 16,
      width: 32,
      noise: [0.1, 0.5, 1.5, 0.5],
      shiftAt: 500,
      epsilon: 1e-4,
      learningRate: 3e-3,
      scoredEpochs: 100,
    })
    expect(precisionGating.settings({ epochs: 30 }).shiftAt).toBe(15)
    expect(precisionGating.settings({ quick: true })).toMatchObject({ quick: true, seeds: [42] })
    expect(precisionGating.restore(JSON.parse(JSON.stringify(small)))).toEqual(small)
  })

  it.each<[string, object]>([
    ['seeds', { seeds: [1, 1] }],
    ['dim', { dim: 3 }],
    ['shiftAt', { shiftAt: 13 }],
    ['noise', { noise: [1, 2] }],
    ['noise.1', { noise: [1, -2, 1, 1] }],
    ['epsilon', { epsilon: 0 }],
    ['speed', { speed: 1 }],
  ])('refuse a wrong %s', (field, change) => {
    expect(() => precisionGating.restore({ ...small, ...change })).toThrow(
      expect.objectContaining({
        code: 'FEP_BAD_CONFIG',
        message: expect.stringContaining(`settings.${field}`),
      }),
    )
  })
})

describe('the bounds', () => {
  const bounds = precisionGating.bounds(precisionGating.settings())
  const at = (name: string, metric: string) =>
    bounds.find((b) => b.name === name && b.metric === metric)?.value

  it('are the task’s floor and what weights add to it', () => {
    expect(at('bestWeights', 'finalLoss')).toBeCloseTo(1 / 16 + 1 / (100 + 4 + 4 / 9 + 4), 12)
    expect(at('bestExpert', 'finalLoss')).toBeCloseTo(0.0725, 12)
    expect(at('equalWeights', 'finalLoss')).toBeCloseTo(0.0625 + (0.01 + 0.25 + 2.25 + 0.25) / 16, 12)
    expect(at('perfectExperts', 'precision2')).toBeCloseTo(1 / 2.3126, 12)
    expect(at('perfectExperts', 'precisionContrast')).toBeCloseTo(2.3126 / 0.0726, 9)
  })

  it('say when two averages cross, and what the last of them wavers by: as a simulation does', () => {
    for (const [name, m] of [
      ['shifting-m0.7', 0.7],
      ['shifting-m0.9', 0.9],
      ['shifting-precision', 0.95],
      ['shifting-m0.99', 0.99],
    ] as const) {
      let [a, b, updates] = [0.0725, 2.3125, 0]
      while (a < b) {
        a = m * a + (1 - m) * 2.3125
        b = m * b + (1 - m) * 0.0725
        updates++
      }
      expect(at(name, 'crossoverStep')).toBe(500 + updates - 1)
      // A sum of independent errors weighed by (1 − m) mⁿ.
      let squares = 0
      for (let n = 0; n < 4000; n++) squares += ((1 - m) * m ** n) ** 2
      expect(at(name, 'precisionNoise')).toBeCloseTo(Math.sqrt((2 / 256) * squares), 10)
    }
  })
})

describe('a run', () => {
  it('follows the formulas: gates from z · Π, the loss of their mixture, Π from the step’s own errors', async () => {
    const { metrics, series } = await run('static-precision', { epochs: 1 })
    const layer = createMixture({ dim: 16, experts: 4, expert: { width: 8, outputs: 1 } })
    const params = layer.init({ seed: 1 })
    const value = (name: string) => params[name]?.data as Float32Array
    const { x, targets, noise } = openNoisyExperts({ batch: 16, dim: 16, experts: 4 }, 1).next(small.noise)
    const linear = (name: string, input: ArrayLike<number>, outputs: number) =>
      Array.from({ length: outputs }, (_, o) => {
        let z = value(`${name}.bias`)[o] as number
        for (let i = 0; i < input.length; i++)
          z += (value(`${name}.weight`)[o * input.length + i] as number) * (input[i] as number)
        return z
      })
    let loss = 0
    const errors = [0, 0, 0, 0]
    for (let b = 0; b < 16; b++) {
      const token = x.data.subarray(b * 16, (b + 1) * 16) as Float32Array
      const weights = linear('router.W', token, 4).map((z) => Math.exp(z / (1 + 1e-4)))
      const total = weights.reduce((sum, w) => sum + w, 0)
      let y = 0
      for (let e = 0; e < 4; e++) {
        const hidden = linear(`experts.${e}.net.0`, token, 8).map((z) => Math.max(0, z))
        const out = (linear(`experts.${e}.net.2`, hidden, 1)[0] as number) + (noise.data[b * 4 + e] as number)
        y += ((weights[e] as number) / total) * out
        errors[e] = (errors[e] as number) + (out - (targets.data[b] as number)) ** 2 / 16
      }
      loss += (y - (targets.data[b] as number)) ** 2 / 16
    }
    expect(metrics.earlyLoss).toBeCloseTo(loss, 5)
    expect(series.loss).toHaveLength(1)
    errors.forEach((error, e) => {
      expect(metrics[`precision${e}`]).toBeCloseTo(1 / (0.95 + 0.05 * error + 1e-4), 5)
    })
  })

  it('is the same with and without a swap until the swap', async () => {
    const [fixed, shifting] = [await run('static-precision'), await run('shifting-precision')]
    expect(shifting.series.loss?.slice(0, 6)).toEqual(fixed.series.loss?.slice(0, 6))
    expect(shifting.series.loss?.slice(6)).not.toEqual(fixed.series.loss?.slice(6))
    expect(shifting.metrics.earlyLoss).toBe(fixed.metrics.earlyLoss)
    expect(fixed.metrics).not.toHaveProperty('crossoverStep')
  })

  it('finds the crossover, and prints Π where the training has such a step', async () => {
    const { metrics, series } = await run('shifting-m0.7', { epochs: 40, shiftAt: 20 })
    const [a, b] = [series.precision0, series.precision2] as [readonly number[], readonly number[]]
    expect(a).toHaveLength(40)
    const crossed = metrics.crossoverStep as number
    expect(crossed).toBeGreaterThanOrEqual(20)
    expect(crossed).toBeLessThan(30)
    expect(b[crossed]).toBeGreaterThan(a[crossed] as number)
    expect(b[crossed - 1]).toBeLessThan(a[crossed - 1] as number)
    expect(metrics['precision0At-10']).toBeCloseTo(a[10] as number, 4)
    expect(metrics.precision3At10).toBeCloseTo(series.precision3?.[30] as number, 4)
    expect(metrics).not.toHaveProperty('precision0At20')
    const never = await run('shifting-m0.99', { epochs: 4, shiftAt: 3 })
    expect(never.metrics.crossoverStep).toBe(4)
  })

  it('measures the noise of Π as the moving average leaves it', async () => {
    const { metrics } = await run('static-precision', { epochs: 240, shiftAt: 240, batch: 32 })
    // Tokens' errors are not quite normal, and training still moves them: to a third.
    const expected = Math.sqrt((2 / 32) * (0.05 / 1.95))
    expect(metrics.precisionNoise).toBeGreaterThan(expected / 1.5)
    expect(metrics.precisionNoise).toBeLessThan(expected * 1.5)
  })

  it('gives the same bytes for the same job, no Π without Π, and gets better', async () => {
    const [first, second] = [await run('shifting-affinity'), await run('shifting-affinity')]
    expect(JSON.stringify(first)).toBe(JSON.stringify(second))
    expect(Object.keys(first.metrics)).toEqual(['earlyLoss', 'finalLoss'])
    expect(Object.keys(first.series)).toEqual(['loss'])
    const { metrics } = await run('static-affinity', { epochs: 120, scoredEpochs: 20, batch: 32 })
    expect(metrics.finalLoss).toBeLessThan((metrics.earlyLoss as number) * 0.8)
  })

  it('counts its steps, and refuses an unknown condition', async () => {
    const steps: number[] = []
    await precisionGating.run(
      backend,
      { condition: 'static-affinity', seed: 2 },
      { ...small, epochs: 2 },
      (n) => {
        steps.push(n)
      },
    )
    expect(steps).toEqual([1, 2])
    await expect(run('shifting-m0.8')).rejects.toMatchObject({ code: 'FEP_BAD_CONFIG' })
  })
})

describe('what is shown', () => {
  const settings = { ...small, epochs: 40, shiftAt: 20, seeds: [1] }
  const outcome = async () => {
    const runs: Run[] = []
    for (const condition of precisionGating.conditions)
      runs.push(await precisionGating.run(backend, { condition, seed: 1 }, settings))
    const summary = precisionGating.summarize(runs, settings)
    return { settings, runs, summary, bounds: precisionGating.bounds(settings) }
  }

  it('has the paper’s figures beside ours, Π by step, and the price of a steady Π', async () => {
    const found = await outcome()
    const [losses, end, swap, speed, least] = precisionGating.tables(found)
    expect(losses?.rows.map(([name]) => name)).toEqual(precisionGating.conditions.slice(0, 4))
    expect(losses?.rows[0]?.[4]).toBe('0.0815')
    expect(losses?.rows[0]?.at(-1)).toBe('not decidable at n = 1')
    expect(end?.rows.at(-1)?.slice(2, 4)).toEqual(['31', '31.9'])
    expect(swap?.rows.map(([step]) => step)).toEqual(['10', '20', '30'])
    expect(swap?.rows[0]?.[1]).toMatch(/^\d+\.\d\d \(13\.62\)$/)
    expect(speed?.rows.map(([m]) => m)).toEqual(['0.7', '0.9', '0.95', '0.99'])
    expect(least?.rows[0]?.[1]).toBe('0.0717')
    const figures = precisionGating.figures(found)
    expect(figures.map(({ id }) => id)).toEqual([
      'loss-over-steps',
      'precision-over-the-swap',
      'speed-of-precision',
    ])
    const [, pi] = figures
    expect(pi?.panels).toHaveLength(4)
    expect(pi?.panels[0]?.series[0]?.points[0]?.x).toBe(0)
    expect(pi?.panels[0]?.series.map(({ points }) => points.length)).toEqual([40, 40, 40, 40])
  })
})
