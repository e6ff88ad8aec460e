import { type Backend, referenceBackend } from '@fep-moe/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDomainSwitch, type Run, routingEntropy } from '../src/index.js'

const small = {
  ...routingEntropy.settings({ seeds: [1], epochs: 2 }),
  batch: 8,
  evaluationBatch: 32,
  evaluationBatches: 2,
}
let backend: Backend
beforeAll(async () => {
  backend = await referenceBackend()
})
afterAll(() => backend.dispose())
const run = (condition: string, change: object = {}) =>
  routingEntropy.run(backend, { condition, seed: 1 }, { ...small, ...change })

describe('settings', () => {
  it('are the paper’s', () => {
    expect(routingEntropy.settings()).toMatchObject({
      epochs: 800,
      batch: 512,
      evaluationBatch: 2048,
      evaluationBatches: 20,
      learningRate: 3e-3,
      noise: 0.8,
      switchAt: 6,
      seeds: [42, 43, 44, 45, 46],
    })
    expect(routingEntropy.settings({ quick: true }).quick).toBe(true)
    expect(routingEntropy.restore(JSON.parse(JSON.stringify(small)))).toEqual(small)
  })

  it.each<[string, object]>([
    ['evaluationBatch', { evaluationBatch: 0 }],
    ['evaluationBatches', { evaluationBatches: 1.5 }],
    ['learningRate', { learningRate: Number.NaN }],
    ['switchAt', { switchAt: 12 }],
    ['colour', { colour: 1 }],
  ])('refuse a wrong %s', (field, change) => {
    expect(() => routingEntropy.restore({ ...small, ...change })).toThrow(
      expect.objectContaining({ code: 'FEP_BAD_CONFIG', message: expect.stringContaining(field) }),
    )
  })
})

describe('a run', () => {
  it.each(routingEntropy.conditions)('of %s has every figure in range', async (condition) => {
    const { metrics, series } = await run(condition)
    const { k99, k99Accuracy, entropyAll, entropyTransition, ...shares } = metrics as Record<string, number>
    for (const value of Object.values(shares)) {
      expect(value).toBeGreaterThanOrEqual(0)
      expect(value).toBeLessThanOrEqual(1)
    }
    for (const value of [entropyAll, entropyTransition]) {
      expect(value).toBeGreaterThan(0)
      expect(value).toBeLessThanOrEqual(Math.log(4) + 1e-6)
    }
    expect(k99).toBeCloseTo(Math.log(0.01) / Math.log(1 - (shares.massTransition as number)), 9)
    expect(k99Accuracy).toBeGreaterThan(0)
    expect(Object.keys(series)).toEqual(['accuracy', 'mass', 'entropy'])
    expect(series.mass).toHaveLength(11)
    expect(series.mass?.[5]).toBeCloseTo(shares.massTransition as number, 5)
  })

  it('is evaluated on other sequences than it was trained on', () => {
    const first = (name?: string) => openDomainSwitch({ batch: 8 }, 1, name).next().x.data.slice()
    expect(first('domain-switch/evaluation')).not.toEqual(first())
    expect(first('domain-switch')).toEqual(first())
  })

  it('gives the same bytes for the same job, and an oracle gets better', async () => {
    const [one, two] = [await run('beta+ant'), await run('beta+ant')]
    expect(JSON.stringify(one)).toBe(JSON.stringify(two))
    const before = await run('oracle', { epochs: 1 })
    const after = await run('oracle', { epochs: 60, batch: 32 })
    expect(after.metrics.accuracyAll).toBeGreaterThan(0.9)
    expect(after.metrics.massAll).toBeGreaterThan((before.metrics.massAll as number) + 0.2)
    expect(after.metrics.entropyAll).toBeLessThan(before.metrics.entropyAll as number)
  })

  it('refuses an unknown condition', async () => {
    await expect(run('pi')).rejects.toMatchObject({ code: 'FEP_BAD_CONFIG' })
  })
})

describe('what is shown', () => {
  const runs: Run[] = [1, 2].flatMap((seed) =>
    routingEntropy.conditions.map((condition) => ({
      experiment: 'routing-entropy',
      condition,
      seed,
      backend: 'none',
      metrics: {
        accuracyAll: 0.9,
        accuracyTransition: 0.006,
        massAll: 0.9,
        massTransition: 0.014,
        entropyAll: 0.1,
        entropyTransition: 0.1,
        k99: 320 + 4 * seed,
        k99Accuracy: 765,
      },
      series: { accuracy: [0.5], mass: [0.5], entropy: [0.1] },
    })),
  )
  const settings = routingEntropy.settings({ seeds: [1, 2] })
  const summary = routingEntropy.summarize(runs, settings)
  const outcome = { settings, runs, summary, bounds: routingEntropy.bounds(settings) }

  it('keeps accuracy and mass apart, each beside its own published figure', () => {
    const [shares, draws, bounds] = routingEntropy.tables(outcome)
    expect(shares?.columns).toContain('mass t=5')
    expect(shares?.rows[0]).toEqual([
      'baseline',
      '0.900±0.000',
      '0.006±0.000',
      '0.006',
      '0.900±0.000',
      '0.014±0.000',
      '0.014',
      'yes',
    ])
    expect(shares?.rows[3]?.at(-1)).toBe('NO')
    expect(draws?.rows[0]?.slice(1, 5)).toEqual(['326.0±2.8', '322', '765.0±0.0', '765'])
    expect(bounds?.rows[0]?.[2]).toBe('0.0062')
    expect(routingEntropy.figures(outcome).map(({ id }) => id)).toEqual(['mass-per-step', 'entropy-per-step'])
  })
})
