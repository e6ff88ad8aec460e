import {
  type Backend,
  createLanguageModel,
  type GateConfig,
  gradients,
  loadMechanisms,
  optimize,
  referenceBackend,
} from '@fep-moe/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  alternatingAlphabetsBits,
  alternatingAlphabetsBounds,
  languageModel,
  openAlternatingAlphabets,
  openSwitchingText,
  openTwoAlphabets,
  type Run,
  switchingText,
  switchingTextGates,
  twoAlphabetsBits,
  twoAlphabetsBounds,
  uniformly,
} from '../src/index.js'
import { modelWith } from '../src/switching-text/conditions.js'
import { letterScorer } from '../src/switching-text/scoring.js'
import { texts } from '../src/switching-text/texts.js'

const shape = { batch: 6, letters: 10, vocabulary: 6, switchAt: 5, dim: 4, scoredBatches: 2, scoredBatch: 8 }
const small = {
  ...switchingText.settings({ seeds: [1, 2], epochs: 3 }),
  ...shape,
  duration: uniformly(2, 3),
}
let backend: Backend
beforeAll(async () => {
  backend = await referenceBackend()
})
afterAll(() => backend.dispose())

describe('settings', () => {
  it('are the paper’s, and survive a file', () => {
    const { duration, ...rest } = switchingText.settings()
    expect(rest).toEqual(languageModel.settings())
    expect(duration).toEqual({ kind: 'uniform', least: 8, most: 12 })
    expect(switchingText.restore(JSON.parse(JSON.stringify(small)))).toEqual(small)
    expect(switchingText.settings({ quick: true, epochs: 7 })).toMatchObject({ quick: true, epochs: 7 })
    expect(switchingText.amongAll?.seeds).toBe(0)
  })

  it.each<[object]>([
    [{ duration: { kind: 'forever' } }],
    [{ duration: uniformly(10, 12) }],
    [{ duration: uniformly(3, 2) }],
    [{ switchAt: 9 }],
    [{ epochs: 0 }],
    [{ other: 1 }],
  ])('refuse %j', (bad) => {
    expect(() => switchingText.restore({ ...small, ...bad })).toThrow(
      expect.objectContaining({ code: 'FEP_BAD_CONFIG' }),
    )
  })
})

describe('the texts', () => {
  it('have the exact filter’s bits for the paper’s text, by formula and by sampling', () => {
    const { fullHistory } = twoAlphabetsBounds()
    const batch = openTwoAlphabets({ batch: 4096 }, 3).next()
    const bits = twoAlphabetsBits({ batch: 4096 }, batch)
    const mean = bits.reduce((sum, b) => sum + b, 0) / bits.length
    // A letter's bits deviate by less than 3 from their mean.
    expect(Math.abs(mean - fullHistory.all)).toBeLessThan((5 * 3) / Math.sqrt(bits.length))
    for (let b = 0; b < 4096; b += 500) expect(bits[b * 63 + 31]).toBeCloseTo(fullHistory.transition, 12)
  })

  it('are one family: an alphabet that always lasts 32 letters changes once in 64', () => {
    const [once, family] = [
      twoAlphabetsBounds().fullHistory,
      alternatingAlphabetsBounds({ duration: uniformly(32) }).fullHistory,
    ]
    expect(family.all).toBeCloseTo(once.all, 12)
    expect(family.transition).toBeCloseTo(once.transition, 12)
    const batch = openAlternatingAlphabets({ batch: 8, duration: uniformly(32) }, 3).next()
    const [a, b] = [twoAlphabetsBits({}, batch), alternatingAlphabetsBits({ duration: uniformly(32) }, batch)]
    a.forEach((bits, i) => {
      expect(b[i]).toBeCloseTo(bits, 12)
    })
  })

  it('weigh the step before the switch as the paper does, and no other', () => {
    const sum = (name: keyof typeof texts) =>
      Array.from(texts[name](switchingText.settings()).weights().data as Float32Array)
    expect(sum('once').slice(0, 63)).toEqual(Array.from({ length: 63 }, (_, t) => (t === 31 ? 5 : 1)))
    expect(new Set(sum('often'))).toEqual(new Set([1]))
  })

  it('have bounds that time alone reaches in one of them only', () => {
    const bounds = switchingText.bounds(switchingText.settings())
    const of = (name: string, metric: string) =>
      bounds.find((b) => b.name === name && b.metric === metric)?.value as number
    expect(of('once fullHistory', 'bpcAll')).toBeCloseTo(1.6247, 4)
    expect(of('once fullHistory', 'bpcTransition')).toBeCloseTo(Math.log2(13), 12)
    expect(of('often clock', 'bpcAll') - of('often fullHistory', 'bpcAll')).toBeGreaterThan(0.09)
    expect(of('often clock', 'bpcTransition') - of('often fullHistory', 'bpcTransition')).toBeGreaterThan(0.8)
  })
})

describe('scores', () => {
  it('go by the distance from switches and by ages, which start with a row', () => {
    const scorer = letterScorer(4, 2)
    scorer.add(Float64Array.of(1, 5, 2, 3, 1, 1, 6, 2), Uint8Array.of(0, 1, 0, 0, 0, 0, 1, 0))
    const { all, transition, around, byAge } = scorer.scores()
    expect(all).toBe(21 / 8)
    expect(transition).toBe(5.5)
    expect(around).toEqual([
      { at: -2, bits: 1 },
      { at: -1, bits: 1 },
      { at: 0, bits: 5.5 },
      { at: 1, bits: 2 },
      { at: 2, bits: 3 },
    ])
    // Ages 1 2 1 2 | 1 2 3 1, of which 3 counts as 2.
    expect(byAge).toEqual([(1 + 2 + 1 + 2) / 4, (5 + 3 + 1 + 6) / 4])
  })
})

describe('a run', () => {
  it.each(switchingText.conditions)('of %s has every metric', async (condition) => {
    const epochs: number[] = []
    const run = await switchingText.run(backend, { condition, seed: 1 }, small, (done) => {
      epochs.push(done)
    })
    const { metrics, series } = run
    expect(epochs).toEqual([1, 2, 3])
    const once = condition.startsWith('once')
    expect(Object.keys(metrics)).toEqual(
      Object.keys(switchingText.metrics).filter((name) => once || !name.startsWith('pB')),
    )
    for (const value of [...Object.values(metrics), ...Object.values(series).flat()])
      expect(Number.isFinite(value)).toBe(true)
    expect(series.around?.length).toBe(series.aroundAt?.length)
    expect(metrics.excessAll as number).toBeGreaterThan(0)
    const at = (series.aroundAt as readonly number[]).indexOf(0)
    expect(series.around?.[at]).toBeCloseTo(metrics.bpcTransition as number, 4)
    const above = (series.around?.[at] as number) - (series.aroundBound?.[at] as number)
    expect(above).toBeCloseTo(metrics.excessTransition as number, 4)
  })

  it('of the paper’s gate is that of the experiment language-model', async () => {
    const [{ duration: _, ...paper }, seed] = [small, 2]
    const ours = await switchingText.run(backend, { condition: 'once beta+ant', seed }, small)
    const theirs = await languageModel.run(backend, { condition: 'beta+ant', seed }, paper)
    for (const metric of ['bpcAll', 'bpcTransition', 'pB', 'pBBefore', 'pBMid'])
      expect(ours.metrics[metric], metric).toBeCloseTo(theirs.metrics[metric] as number, 10)
  })

  it('shows all gates of a seed the same letters', async () => {
    const first = async (condition: string) => {
      const training = await openSwitchingText(backend, { condition, seed: 4 }, small)
      const { x } = training.sample()
      await training.dispose()
      return Array.from(x.data)
    }
    expect(await first('often belief')).toEqual(await first('often clock'))
    expect(await first('once belief')).not.toEqual(await first('often belief'))
  })

  it('refuses an unknown condition', async () => {
    await expect(switchingText.run(backend, { condition: 'often', seed: 1 }, small)).rejects.toMatchObject({
      code: 'FEP_BAD_CONFIG',
    })
  })
})

describe('a step of the belief gate', () => {
  it('is one scan forwards and one back', async () => {
    const settings = switchingText.settings()
    const model = createLanguageModel(modelWith('belief', settings))
    await loadMechanisms(model.gate)
    const wrt = model.params.map(({ name }) => name)
    const graph = optimize(gradients(model.lossGraph({ steps: 63, weights: true }), { of: 'loss', wrt }))
    expect(graph.nodes.filter(({ op }) => op === 'Scan')).toHaveLength(2)
  })

  it('has phases for the longest stay of both texts', () => {
    const { belief } = switchingTextGates.belief satisfies Partial<GateConfig>
    expect(belief.phases).toBeGreaterThan(switchingText.settings().switchAt)
  })
})

describe('summary, tables and figures', () => {
  const settings = switchingText.settings({ seeds: [42, 43] })
  const runs = switchingText.conditions.flatMap((condition) =>
    settings.seeds.map((seed): Run => {
      const once = condition.startsWith('once')
      const metrics = {
        ...{ bpcAll: 1.63, bpcTransition: 3.71, excessAll: 0.005, excessTransition: 0.01 },
        ...(once ? { pB: 0.975, pBBefore: 0.1, pBMid: 0.99 } : {}),
        ...{ parameters: 100, state: 96 },
      }
      const around = { aroundAt: [-1, 0, 1], around: [1.6, 3.71, 1.6], aroundBound: [1.59, 3.7, 1.59] }
      const more = once
        ? { weightB: Array(63).fill(0.5) as number[] }
        : { byAge: [1.6, 2], byAgeBound: [1.59, 1.9] }
      return {
        experiment: 'switching-text',
        condition,
        seed,
        backend: 'none',
        metrics,
        series: { ...around, ...more },
      }
    }),
  )
  const summary = switchingText.summarize(runs, settings)
  const outcome = { settings, runs, summary, bounds: switchingText.bounds(settings) }

  it('has a table for each text with its bounds', () => {
    const [once, often] = switchingText.tables(outcome)
    const gates = Object.keys(switchingTextGates)
    expect(once?.rows.map(([name]) => name)).toEqual([...gates, 'bound: x_t only', 'bound: x_0..x_t'])
    expect(often?.rows.map(([name]) => name)).toEqual([...gates, 'bound: x_t and t', 'bound: x_0..x_t'])
    for (const table of [once, often])
      for (const row of table?.rows ?? []) expect(row.length).toBe(table?.columns.length)
    expect(JSON.stringify(once)).toContain('3.7004')
  })

  it('draws bits around a switch beside the filter, by age, and the weight of the second expert', () => {
    const [around, ages, weight] = switchingText.figures(outcome)
    expect(around?.panels.map(({ series }) => series.length)).toEqual([7, 7])
    expect(around?.panels[0]?.series[0]?.points.map(({ x }) => x)).toEqual([-1, 0, 1])
    expect(around?.panels[1]?.series[6]).toMatchObject({ name: 'exact filter', style: 'bound' })
    expect(ages?.panels[0]?.series[0]?.points.map(({ x }) => x)).toEqual([1, 2])
    expect(weight?.panels[0]?.series[0]?.points.map(({ x }) => x)).toEqual(
      Array.from({ length: 17 }, (_, i) => i - 8),
    )
  })
})
