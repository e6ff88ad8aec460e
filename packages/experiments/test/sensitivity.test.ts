import { referenceBackend } from '@fep-moe/core'
import { describe, expect, it } from 'vitest'
import { type Run, sensitivity } from '../src/index.js'

const settings = { ...sensitivity.settings({ seeds: [1, 2], epochs: 2 }), batch: 8, scoredEpochs: 1 }

describe('sensitivity', () => {
  it('keeps a fixed decay, moves a learned one, and marks it in the figure', async () => {
    await using backend = await referenceBackend()
    const runs: Run[] = []
    for (const condition of sensitivity.conditions)
      for (const seed of settings.seeds)
        runs.push(await sensitivity.run(backend, { condition, seed }, settings))
    const betas = (condition: string) => runs.find((r) => r.condition === condition)?.series.beta ?? []
    expect(betas('beta 0.3')).toEqual(Array(16).fill(0.3))
    expect(betas('beta+ant 0.99')).toEqual(Array(16).fill(0.99))
    expect(betas('beta learned').some((b) => b !== 0.9)).toBe(true)

    const summary = sensitivity.summarize(runs, settings)
    expect(summary.every(({ agreement, published }) => agreement === null && published === null)).toBe(true)
    const outcome = { settings, runs, summary, bounds: sensitivity.bounds(settings) }
    expect(sensitivity.tables(outcome)[0]?.rows).toHaveLength(sensitivity.conditions.length)
    const [figure] = sensitivity.figures(outcome)
    const learned = figure?.panels[1]?.series.find(({ name }) => name.includes('learned'))
    const all = runs.filter((r) => r.condition === 'beta learned').flatMap((r) => r.series.beta ?? [])
    const mean = all.reduce((a, b) => a + b, 0) / all.length
    expect(learned?.points[0]?.x).toBeCloseTo(mean, 10)
    expect(figure?.panels[0]?.series[0]?.points.map(({ x }) => x)).toEqual([
      0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99,
    ])
  })

  it.each(['beta', 'beta 0.2', 'gamma learned'])('refuses %s', async (condition) => {
    await using backend = await referenceBackend()
    await expect(sensitivity.run(backend, { condition, seed: 1 }, settings)).rejects.toMatchObject({
      code: 'FEP_BAD_CONFIG',
    })
  })
})
