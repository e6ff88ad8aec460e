import { type Backend, type Feeds, type Program, referenceBackend, type Tensor, tensor } from '@fep-moe/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  bitsPerStep,
  expertOfSecond,
  languageModel,
  languageModelConditions,
  openLanguageModel,
  publishedLanguageModel,
  type Run,
} from '../src/index.js'

const shape = { batch: 6, letters: 10, vocabulary: 6, switchAt: 5, dim: 4, scoredBatches: 2, scoredBatch: 8 }
const small = { ...languageModel.settings({ seeds: [1, 2], epochs: 3 }), ...shape }
let backend: Backend
beforeAll(async () => {
  backend = await referenceBackend()
})
afterAll(() => backend.dispose())

describe('settings', () => {
  it('are the paper’s', () => {
    expect(languageModel.settings()).toEqual({
      ...{ batch: 256, letters: 64, vocabulary: 26, switchAt: 32, next: 0.7, skip: 0.15 },
      ...{
        dim: 64,
        experts: 2,
        epochs: 1500,
        learningRate: 2e-3,
        transitionWeight: 5,
        predictionWeight: 0.5,
      },
      ...{ scoredBatches: 20, scoredBatch: 512, seeds: [42, 43, 44, 45, 46], quick: false },
    })
  })

  it('keep what a user says, in a quick run too', () => {
    expect(languageModel.settings({ quick: true })).toMatchObject({ quick: true, seeds: [42] })
    expect(languageModel.settings({ quick: true, seeds: [1, 2], epochs: 5 })).toMatchObject({
      seeds: [1, 2],
      epochs: 5,
    })
  })

  it.each<[object, RegExp]>([
    [{ seeds: [] }, /settings\.seeds/],
    [{ seeds: [1, 1] }, /seeds that differ/],
    [{ epochs: 0 }, /settings\.epochs is 0/],
    [{ epoch: 5 }, /settings\.epoch is unknown here/],
  ])('refuse %j', (overrides, message) => {
    expect(() => languageModel.settings(overrides)).toThrow(message)
    expect(() => languageModel.settings(overrides)).toThrow(
      expect.objectContaining({ code: 'FEP_BAD_CONFIG' }),
    )
  })

  it('may leave conditions out, and tables, figures and summary do then', async () => {
    const conditions = ['standard', 'beta']
    const settings = { ...small, ...languageModel.settings({ conditions, seeds: [1] }), ...shape, epochs: 1 }
    expect(settings.conditions).toEqual(conditions)
    expect(languageModel.restore(JSON.parse(JSON.stringify(settings)))).toEqual(settings)
    const runs = []
    for (const condition of conditions)
      runs.push(await languageModel.run(backend, { condition, seed: 1 }, settings))
    const summary = languageModel.summarize(runs, settings)
    expect([...new Set(summary.map((row) => row.condition))]).toEqual(conditions)
    const outcome = { settings, runs, summary, bounds: [] }
    expect(languageModel.tables(outcome)[0]?.rows.map(([name]) => name)).toEqual(conditions)
    expect(JSON.stringify(languageModel.tables(outcome))).not.toContain('direct')
    expect(languageModel.figures(outcome)[0]?.panels[0]?.series.map(({ name }) => name)).not.toContain(
      'beta+direct',
    )
    for (const bad of [['beta'], ['standard', 'standard'], ['standard', 'pi'], []])
      expect(() => languageModel.settings({ conditions: bad })).toThrow(
        expect.objectContaining({ code: 'FEP_BAD_CONFIG' }),
      )
  })

  it('are restored from a file, and what is wrong in it is named', () => {
    expect(languageModel.restore(JSON.parse(JSON.stringify(small)))).toEqual(small)
    for (const [field, value] of [
      ['seeds', []],
      ['experts', 1],
      ['dim', 0],
      ['learningRate', 0],
      ['transitionWeight', -1],
      ['predictionWeight', Number.NaN],
      ['scoredBatch', 1.5],
      ['scoredBatches', 0],
      ['vocabulary', 7],
      ['switchAt', 9],
      ['colour', 1],
    ] as const)
      expect(() => languageModel.restore({ ...small, [field]: value }), field).toThrow(
        expect.objectContaining({ code: 'FEP_BAD_CONFIG', message: expect.stringContaining(field) }),
      )
  })
})

describe('scores', () => {
  it('are bits of the softmax, summed over sequences', () => {
    const uniform = bitsPerStep(tensor(new Float32Array(24), [2, 3, 4]), tensor(new Int32Array(6), [2, 3]))
    for (const bits of uniform) expect(bits).toBeCloseTo(2 * Math.log2(4), 12)
    const logits = tensor([0, Math.log(3), 1000, 1000], [1, 2, 2])
    const [first, second] = bitsPerStep(logits, tensor(Int32Array.of(0, 1), [1, 2]))
    expect(first).toBeCloseTo(2, 6)
    expect(second).toBeCloseTo(1, 12)
    expect(() => bitsPerStep(logits, tensor(Int32Array.of(0), [1, 1]))).toThrow(
      expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }),
    )
  })

  it('take for the second alphabet the expert whose weight rises most, not the larger one', () => {
    // Steps 0..3; the second alphabet is predicted from step 2 on.
    const weights = [
      [0.9, 0.9, 0.6, 0.6],
      [0.1, 0.1, 0.4, 0.4],
    ]
    expect(expertOfSecond(weights, 3)).toBe(1)
    expect(expertOfSecond([...weights].reverse(), 3)).toBe(0)
  })
})

describe('a run', () => {
  it.each(Object.keys(languageModelConditions))(
    'of %s has every metric, and counts its epochs',
    async (condition) => {
      const epochs: number[] = []
      const { metrics, series, ...rest } = await languageModel.run(
        backend,
        { condition, seed: 1 },
        small,
        (done) => {
          epochs.push(done)
        },
      )
      expect(rest).toEqual({ experiment: 'language-model', condition, seed: 1, backend: 'reference' })
      expect(epochs).toEqual([1, 2, 3])
      const { bits = [], weightB = [], beta } = series
      expect([bits.length, weightB.length, beta?.length]).toEqual([
        9,
        9,
        condition === 'standard' ? undefined : 4,
      ])
      expect(metrics.bpcAll).toBeCloseTo(bits.reduce((a, b) => a + b, 0) / 9, 4)
      expect(metrics.bpcTransition).toBeCloseTo(bits[4] as number, 4)
      expect(metrics.pB).toBeCloseTo(weightB[4] as number, 4)
      expect(metrics.pBMid).toBeCloseTo(((weightB[7] as number) + (weightB[8] as number)) / 2, 4)
      expect(metrics.k99).toBeCloseTo(Math.log(0.01) / Math.log(1 - (metrics.pB as number)), 9)
      expect(metrics.pBBefore).toBeCloseTo(weightB[3] as number, 4)
      for (const bit of bits) expect(bit).toBeGreaterThan(0)
      const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length
      expect(mean(weightB.slice(4))).toBeGreaterThanOrEqual(mean(weightB.slice(0, 4)))
    },
  )

  it('gives the same bytes for the same job', async () => {
    const run = (seed: number) => languageModel.run(backend, { condition: 'beta+ant', seed }, small)
    const [first, second, other] = [await run(1), await run(1), await run(2)]
    expect(JSON.stringify(first)).toBe(JSON.stringify(second))
    expect(other.metrics).not.toEqual(first.metrics)
  })

  it('learns to be ready for the switch where it remembers', async () => {
    const settings = { ...small, epochs: 150, batch: 32, dim: 6, learningRate: 2e-2, scoredBatch: 64 }
    const at = async (condition: string, epochs: number) =>
      (await languageModel.run(backend, { condition, seed: 3 }, { ...settings, epochs })).metrics
    const [start, standard, beta] = [await at('beta', 1), await at('standard', 150), await at('beta', 150)]
    expect(beta.bpcAll as number).toBeLessThan(start.bpcAll as number)
    expect(beta.bpcTransition as number).toBeLessThan(standard.bpcTransition as number)
    const bound = languageModel
      .bounds(settings)
      .find(({ name, metric }) => name === 'stateless' && metric === 'bpcTransition')?.value as number
    expect(Math.abs((standard.bpcTransition as number) - bound)).toBeLessThan(0.3)
  })

  it('refuses an unknown condition', async () => {
    await expect(languageModel.run(backend, { condition: 'pi', seed: 1 }, small)).rejects.toMatchObject({
      code: 'FEP_BAD_CONFIG',
      message: expect.stringContaining("languageModel.condition is 'pi'"),
    })
  })
})

describe('a training', () => {
  /** What a condition's program is fed with, step by step. */
  const feedsOf = async (condition: string): Promise<Feeds[]> => {
    const seen: Feeds[] = []
    const spy: Backend = {
      ...backend,
      compile: async (graph) => {
        const program: Program = await backend.compile(graph)
        return {
          ...program,
          run: (feeds) => {
            const copies = Object.entries(feeds).map(([name, t]) => [name, (t as Tensor).data.slice()])
            seen.push(Object.fromEntries(copies) as Feeds)
            return program.run(feeds)
          },
        }
      },
    }
    const training = await openLanguageModel(spy, { condition, seed: 4 }, small)
    await training.prepare()
    for (let i = 0; i < 2; i++) await training.step(training.sample())
    await training.dispose()
    return seen
  }

  it('shows all conditions of a seed the same batches, the step before the switch weighted', async () => {
    const [standard, full] = [await feedsOf('standard'), await feedsOf('beta+ant')]
    for (const step of [0, 1]) {
      expect(full[step]?.x).toEqual(standard[step]?.x)
      expect(full[step]?.y).toEqual(standard[step]?.y)
    }
    expect(standard[0]?.x).not.toEqual(standard[1]?.x)
    const weights = Array.from(standard[0]?.weights as unknown as Float32Array)
    expect(weights).toEqual(Array.from({ length: 54 }, (_, i) => (i % 9 === 4 ? 5 : 1)))
  })

  it('weighs losses as the paper’s code does: divided by tokens, half the prediction error added', async () => {
    const training = await openLanguageModel(backend, { condition: 'beta+ant', seed: 4 }, small)
    const result = await training.step(training.sample())
    const tokens = Array.from((await result.tokenLoss()).data)
    const sum = tokens.reduce((n, loss, i) => n + (i % 9 === 4 ? 5 : 1) * loss, 0)
    expect(await result.loss()).toBeCloseTo(sum / 54 + 0.5 * (await result.predictionLoss()), 5)
    await training.dispose()
  })
})

describe('the summary', () => {
  const seeds = [42, 43]
  const settings = languageModel.settings({ seeds })
  const transition: Record<string, [number, number]> = {
    standard: [6.5, 6.6],
    beta: [4, 4.2],
    'beta+ant': [4.1, 4.3],
    'beta+direct': [5, 5],
  }
  const runs = languageModel.conditions.flatMap((condition) =>
    seeds.map((seed): Run => {
      const bpcTransition = transition[condition]?.[seed - 42] as number
      const metrics = {
        bpcAll: 1.7,
        bpcTransition,
        pB: 0.5,
        pBBefore: 0.4,
        pBMid: 0.9,
        k99: 6.6,
        parameters: 1,
      }
      const series = { bits: Array(63).fill(bpcTransition), weightB: Array(63).fill(0.5) }
      return { experiment: 'language-model', condition, seed, backend: 'none', metrics, series }
    }),
  )
  const summary = languageModel.summarize(runs, settings)
  const row = (condition: string, metric: string) =>
    summary.find((r) => r.condition === condition && r.metric === metric)
  const outcome = { settings, runs, summary, bounds: languageModel.bounds(settings) }

  it('averages over seeds beside the published figures', () => {
    expect(row('standard', 'bpcTransition')).toMatchObject({
      published: { mean: 6.559, std: 0.012, n: 5, source: 'paper' },
      ours: { mean: expect.closeTo(6.55), n: 2 },
      agreement: 'agrees',
    })
    expect(row('beta', 'bpcAll')?.agreement).toBe('differs')
    expect(row('beta+direct', 'bpcTransition')).toMatchObject({ published: null, agreement: null })
    expect(Object.keys(publishedLanguageModel)).toEqual(['standard', 'beta', 'beta+ant'])
  })

  it('pairs gains by seed', () => {
    // −2.5 and −2.4.
    expect(row('beta', 'bpcTransitionGain')).toMatchObject({
      published: { mean: -2.55 },
      ours: { mean: expect.closeTo(-2.45), std: expect.closeTo(0.1 / Math.SQRT2) },
    })
    expect(row('standard', 'bpcTransitionGain')).toBeUndefined()
    expect(row('beta+ant', 'pBGain')?.ours.mean).toBe(0)
  })

  it('has the same rows whatever the order of the runs, and compares nothing in a quick run', () => {
    expect(languageModel.summarize([...runs].reverse(), settings)).toEqual(summary)
    const quick = languageModel.summarize(runs, { ...settings, quick: true })
    expect(quick.every((r) => r.agreement === null && r.difference === null)).toBe(true)
  })

  it('makes tables with the bounds, and figures from the runs’ series', () => {
    const tables = languageModel.tables(outcome)
    expect(tables[0]?.rows.map(([name]) => name)).toEqual([...languageModel.conditions])
    const text = JSON.stringify(tables)
    for (const found of ['6.559±0.012', '3.700', '1.625', '6.548', '1.776']) expect(text).toContain(found)
    expect(text).not.toMatch(/probability/i)
    const figures = languageModel.figures(outcome)
    expect(figures.map(({ id }) => id)).toEqual([
      'bits-per-letter',
      'weight-of-second-expert',
      'learned-beta',
    ])
    expect(figures[0]?.panels[0]?.series[0]?.points[0]).toMatchObject({ x: 0, y: expect.closeTo(6.55) })
  })
})
