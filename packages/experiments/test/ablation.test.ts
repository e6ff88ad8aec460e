import { type Backend, type Feeds, type Program, referenceBackend, type Tensor } from '@fep-moe/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ablation,
  ablationConditions,
  experiments,
  findExperiment,
  openAblation,
  parseResults,
  type Results,
  type Run,
} from '../src/index.js'

const small = { ...ablation.settings({ seeds: [1, 2], epochs: 3 }), batch: 8, scoredEpochs: 2 }
let backend: Backend
beforeAll(async () => {
  backend = await referenceBackend()
})
afterAll(() => backend.dispose())

/** Runs with made-up metrics: only the arithmetic of the summary is looked at. */
const invented = (seeds: readonly number[], value: (condition: string, seed: number) => number): Run[] =>
  ablation.conditions.flatMap((condition) =>
    seeds.map((seed) => {
      const accuracyTransition = value(condition, seed)
      const metrics = {
        accuracyAll: 0.9,
        accuracyTransition,
        massAll: 0.8,
        massTransition: accuracyTransition / 2,
        k99: 3,
        k99Accuracy: 2,
        parameters: 68,
      }
      const series = { accuracy: Array(11).fill(accuracyTransition) }
      return { experiment: 'ablation', condition, seed, backend: 'none', metrics, series }
    }),
  )

describe('the list of experiments', () => {
  it('finds by name, and names what there is', () => {
    expect(experiments.map((e) => e.name)).toEqual([
      'ablation',
      'beta-routing',
      'precision',
      'routing-entropy',
      'language-model',
      'overhead',
      'sensitivity',
      'expert-threshold',
      'switching-text',
      'past-the-paper',
    ])
    expect(findExperiment('ablation')).toBe(ablation)
    expect(() => findExperiment('nothing')).toThrow(/'nothing'; there is: ablation/)
  })
})

describe('settings', () => {
  it('are the paper’s', () => {
    expect(ablation.settings()).toMatchObject({
      batch: 512,
      steps: 12,
      dim: 16,
      experts: 4,
      switchAt: 6,
      noise: 0.8,
      epochs: 800,
      learningRate: 3e-3,
      scoredEpochs: 50,
      seeds: [42, 43, 44, 45, 46],
      quick: false,
    })
  })

  it('keep what a user says, in a quick run too', () => {
    expect(ablation.settings({ quick: true })).toMatchObject({ quick: true, seeds: [42] })
    expect(ablation.settings({ quick: true, seeds: [1, 2], epochs: 5 })).toMatchObject({
      seeds: [1, 2],
      epochs: 5,
    })
  })

  it.each<[object, RegExp]>([
    [{ seeds: [] }, /settings\.seeds/],
    [{ seeds: [1, 1] }, /seeds that differ/],
    [{ seeds: [-1] }, /settings\.seeds\.0 is -1/],
    [{ epochs: 0 }, /settings\.epochs is 0; accepted: an integer in 1\.\.1000000/],
    [{ epoch: 5 }, /settings\.epoch is unknown here/],
  ])('refuse %j', (overrides, message) => {
    expect(() => ablation.settings(overrides)).toThrow(message)
    expect(() => ablation.settings(overrides)).toThrow(expect.objectContaining({ code: 'FEP_BAD_CONFIG' }))
  })
})

describe('a run', () => {
  it('gives the same bytes for the same job', async () => {
    const run = () => ablation.run(backend, { condition: 'beta+pi+ant', seed: 1 }, small)
    const [first, second] = [await run(), await run()]
    expect(JSON.stringify(first)).toBe(JSON.stringify(second))
    const other = await ablation.run(backend, { condition: 'beta+pi+ant', seed: 2 }, small)
    expect(other.metrics).not.toEqual(first.metrics)
  })

  it.each(Object.keys(ablationConditions))(
    'of %s has every metric in range, and counts its epochs',
    async (condition) => {
      const epochs: number[] = []
      const { metrics, series, ...rest } = await ablation.run(
        backend,
        { condition, seed: 1 },
        small,
        (done) => {
          epochs.push(done)
        },
      )
      expect(rest).toEqual({ experiment: 'ablation', condition, seed: 1, backend: 'reference' })
      expect(Object.keys(metrics)).toEqual([
        'accuracyAll',
        'accuracyTransition',
        'massAll',
        'massTransition',
        'k99',
        'k99Accuracy',
        'parameters',
      ])
      const { k99, k99Accuracy, parameters, ...shares } = metrics
      for (const share of Object.values(shares)) {
        expect(share).toBeGreaterThanOrEqual(0)
        expect(share).toBeLessThanOrEqual(1)
      }
      expect(k99).toBeCloseTo(Math.log(0.01) / Math.log(1 - (shares.massTransition as number)), 9)
      expect(k99Accuracy).toBeGreaterThan(0)
      expect(parameters).toBeGreaterThanOrEqual(68)
      expect(epochs).toEqual([1, 2, 3])
      const mean = (list: readonly number[] = []) => list.reduce((a, b) => a + b, 0) / list.length
      expect(mean(series.accuracy)).toBeCloseTo(shares.accuracyAll as number, 5)
      expect(series.mass?.[5]).toBeCloseTo(shares.massTransition as number, 5)
      for (let t = 0; t < 11; t++)
        expect([0, 1, 2, 3].reduce((sum, e) => sum + (series[`weight${e}`]?.[t] as number), 0)).toBeCloseTo(
          1,
          4,
        )
      expect(series.membraneFirst?.length).toBe(condition.includes('beta') ? 12 : undefined)
      expect(series.beta?.length).toBe(condition.includes('beta') ? 16 : undefined)
    },
  )

  it('refuses an unknown condition', async () => {
    await expect(ablation.run(backend, { condition: 'gamma', seed: 1 }, small)).rejects.toMatchObject({
      code: 'FEP_BAD_CONFIG',
      message: expect.stringContaining("ablation.condition is 'gamma'"),
    })
  })
})

describe('a training', () => {
  /** What a condition's program is fed with, step by step. */
  const feedsOf = async (condition: string, steps: number): Promise<Feeds[]> => {
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
    const training = await openAblation(spy, { condition, seed: 4 }, small)
    for (let i = 0; i < steps; i++) {
      const batch = training.sample()
      await training.step(batch)
      training.track(batch)
    }
    await training.dispose()
    return seen
  }

  it('shows all conditions of a seed the same batches, and other parameters than noise', async () => {
    const [baseline, full] = [await feedsOf('baseline', 2), await feedsOf('beta+pi+ant', 2)]
    for (const step of [0, 1]) {
      expect(full[step]?.x).toEqual(baseline[step]?.x)
      expect(full[step]?.targets).toEqual(baseline[step]?.targets)
    }
    expect(baseline[0]?.x).not.toEqual(baseline[1]?.x)
  })

  it('starts Π at variance .5 and updates it once per column, after the step', async () => {
    const [first, second] = (await feedsOf('pi', 2)) as unknown as Record<string, Float32Array>[]
    expect(Array.from(first?.precision as Float32Array)).toEqual(Array(4).fill(Math.fround(1 / 0.5001)))
    // Experts 1 and 3 are never right: eleven updates with a miss rate of 1.
    const decoy = 1 - 0.5 * 0.95 ** 11
    expect(second?.precision?.[1]).toBeCloseTo(1 / (decoy + 1e-4), 5)
    expect(second?.precision?.[3]).toBe(second?.precision?.[1])
    // Experts 0 and 2 share the batch at every step: their miss rates sum to 1, and so do their variances.
    const [a, b] = [second?.precision?.[0] as number, second?.precision?.[2] as number]
    expect(1 / a - 1e-4 + 1 / b - 1e-4).toBeCloseTo(1, 5)
    expect(a).not.toBe(b)
    const job = { condition: 'pi', seed: 4 }
    const { series } = await ablation.run(backend, job, { ...small, epochs: 1 })
    expect(series.precision).toEqual(
      Array.from(second?.precision as Float32Array, (p) => Number(p.toPrecision(6))),
    )
  })
})

describe('the summary', () => {
  const seeds = [42, 43]
  const settings = ablation.settings({ seeds })
  const table: Record<string, [number, number]> = {
    baseline: [0.01, 0.0],
    beta: [0.31, 0.29],
    ant: [0.01, 0.01],
    'beta+ant': [0.75, 0.74],
  }
  const runs = invented(seeds, (condition, seed) => (table[condition] ?? [0.5, 0.5])[seed - 42] as number)
  const summary = ablation.summarize(runs, settings)
  const row = (condition: string, metric: string) =>
    summary.find((r) => r.condition === condition && r.metric === metric)

  const outcome = { settings, runs, summary, bounds: ablation.bounds(settings) }

  it('averages over seeds beside the published figure', () => {
    expect(row('beta', 'accuracyTransition')).toMatchObject({
      published: { mean: 0.301, std: 0.013, n: 5, source: 'paper' },
      ours: { mean: expect.closeTo(0.3), n: 2 },
      difference: expect.closeTo(-0.001),
      agreement: 'agrees',
    })
    expect(row('oracle', 'accuracyTransition')?.agreement).toBe('differs')
    expect(row('beta+ant', 'massTransition')?.published?.source).toBe('prototype')
    expect(row('pi', 'massTransition')).toMatchObject({ published: null, agreement: null })
  })

  it('pairs gains by seed', () => {
    // .30 and .29, not the spread of the two conditions.
    expect(row('beta', 'accuracyTransitionGain')?.ours).toMatchObject({
      mean: expect.closeTo(0.295),
      std: expect.closeTo(0.01 / Math.SQRT2),
    })
    expect(row('baseline', 'accuracyTransitionGain')).toBeUndefined()
  })

  it('computes the interaction for accuracy and for mass', () => {
    // Seed 42: .74 − .30 − 0; seed 43: .74 − .29 − .01.
    const ours = row('beta+ant', 'accuracyTransitionInteraction')?.ours
    expect(ours).toMatchObject({ mean: expect.closeTo(0.44), std: expect.closeTo(0) })
    expect(row('beta+ant', 'massTransitionInteraction')).toMatchObject({
      ours: { mean: expect.closeTo(0.22) },
      published: { mean: 0.355, source: 'prototype' },
      agreement: 'differs',
    })
  })

  it('has the same rows whatever the order of the runs', () => {
    expect(ablation.summarize([...runs].reverse(), settings)).toEqual(summary)
  })

  it('compares nothing in a quick run', () => {
    const quick = ablation.summarize(runs, { ...settings, quick: true })
    expect(quick.every((r) => r.agreement === null && r.difference === null)).toBe(true)
  })

  it('makes tables that name accuracy, mass and bounds', () => {
    const tables = ablation.tables(outcome)
    const text = JSON.stringify(tables)
    expect(tables[0]?.rows.map(([name]) => name)).toEqual([...ablation.conditions])
    expect(tables[0]?.columns).toContain('mass t=5')
    expect(text).toContain('0.9040')
    expect(text).not.toMatch(/probability/i)
  })

  it('relates conditions: ratios to the baseline and shares of the oracle’s gain', () => {
    // Seed 42: .75 / .01; seed 43: the baseline never hit, and counts as one hit.
    const oneHit = 1 / (settings.batch * settings.scoredEpochs)
    expect(row('beta+ant', 'accuracyTransitionRatio')?.ours.mean).toBeCloseTo((75 + 0.74 / oneHit) / 2, 6)
    expect(row('beta+ant', 'accuracyTransitionOracleShare')?.ours.mean).toBeCloseTo(
      (0.74 / 0.49 + 0.74 / 0.5) / 2,
      6,
    )
  })

  it('restores settings from a file, and names what is wrong in them', () => {
    expect(ablation.restore(JSON.parse(JSON.stringify(settings)))).toEqual(settings)
    for (const [field, value] of [
      ['seeds', []],
      ['epochs', 'many'],
      ['noise', 0],
      ['colour', 1],
    ] as const)
      expect(() => ablation.restore({ ...settings, [field]: value })).toThrow(
        expect.objectContaining({ code: 'FEP_BAD_CONFIG', message: expect.stringContaining(field) }),
      )
  })

  it('draws figures from the runs’ series, bands over seeds', () => {
    const figures = ablation.figures(outcome)
    expect(figures.map(({ id }) => id)).toContain('accuracy-per-step')
    const [line] = figures[0]?.panels[0]?.series ?? []
    expect(line).toMatchObject({ name: 'baseline' })
    expect(line?.points[0]).toMatchObject({ x: 0, y: 0.005 })
    expect(line?.points[0]?.high).toBeCloseTo(0.005 + 0.01 / Math.SQRT2)
  })

  it('fits the schema of the results file', () => {
    const results: Results = {
      schemaVersion: 2,
      experiment: 'ablation',
      environment: { versions: { x: '1' }, node: '20', os: 'os', cpu: 'cpu', threads: 1, commit: null },
      ...outcome,
      settings: { ...settings },
    }
    expect(parseResults(JSON.parse(JSON.stringify(results)))).toEqual(results)
    const broken: [string, object][] = [
      ['results.schemaVersion', { schemaVersion: 1 }],
      ['results.extra', { extra: 1 }],
      ['results.runs.0.seed', { runs: [{ ...runs[0], seed: 1.5 }] }],
      ['results.runs.0.metrics', { runs: [{ ...runs[0], metrics: { accuracyAll: 'high' } }] }],
      ['results.summary.0.agreement', { summary: [{ ...summary[0], agreement: 'yes' }] }],
      ['results.runs.0.series', { runs: [{ ...runs[0], series: { accuracy: [null] } }] }],
      ['results.bounds', { bounds: undefined }],
      ['results.environment.threads', { environment: { ...results.environment, threads: 0 } }],
    ]
    for (const [path, change] of broken)
      expect(() => parseResults({ ...results, ...change }), path).toThrow(path)
    expect(() => parseResults(null)).toThrow(expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }))
  })
})
