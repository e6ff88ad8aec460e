import { type Backend, createGate, referenceBackend } from '@fep-moe/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  bestDecay,
  betaRouting,
  type LastStepTask,
  lastStepBounds,
  openLastStep,
  type Run,
  weightedAccuracy,
} from '../src/index.js'

const task: LastStepTask = {
  name: 'test',
  batch: 512,
  dim: 16,
  noise: 1.2,
  signal: 1,
  shows: [1, 1, 1, 0, 0, 0, 0, 0],
}
const late = { ...task, shows: [-1, -1, -1, -1, 1, 1, 1, 1] as const }
const small = { ...betaRouting.settings({ seeds: [1], epochs: 3 }), batch: 16, scoredEpochs: 2 }
let backend: Backend
beforeAll(async () => {
  backend = await referenceBackend()
})
afterAll(() => backend.dispose())

describe('sequences that are judged at their end', () => {
  it.each([
    ['early signal', task],
    ['late switch', late],
  ])('have the right sizes, signals and noise: %s', (_, given) => {
    const stream = openLastStep(given, 3)
    // By step: sums over the dimensions of the domain in question, and over the other half.
    const own = new Array<number>(8).fill(0)
    const other = new Array<number>(8).fill(0)
    let [squares, first, n] = [0, 0, 0]
    for (let i = 0; i < 20; i++) {
      const { x, targets, ofFirst } = stream.next()
      expect([x.shape, targets.shape]).toEqual([
        [16, 8, 512],
        [1, 512],
      ])
      first += ofFirst
      n += 512
      for (let b = 0; b < 512; b++) expect(targets.data[b]).toBe(b < ofFirst ? 0 : 2)
      for (let d = 0; d < 16; d++)
        for (let t = 0; t < 8; t++)
          for (let b = 0; b < 512; b++) {
            const z = x.data[(d * 8 + t) * 512 + b] as number
            const mine = d < 8 === b < ofFirst
            const sums = mine ? own : other
            sums[t] = (sums[t] as number) + z / 8
            const shown = given.shows[t] as number
            squares += (z - (mine ? Math.max(0, shown) : Math.max(0, -shown))) ** 2
          }
    }
    // 82,000 values a cell: five standard errors are .02; 1.3 million in all, five standard errors of σ are .004.
    given.shows.forEach((shown, t) => {
      expect(Math.abs((own[t] as number) / n - Math.max(0, shown))).toBeLessThan(0.02)
      expect(Math.abs((other[t] as number) / n - Math.max(0, -shown))).toBeLessThan(0.02)
    })
    expect(Math.abs(Math.sqrt(squares / (n * 128)) - 1.2)).toBeLessThan(0.004)
    expect(Math.abs(first / n - 0.5)).toBeLessThan(0.025)
  })

  it('are the same bytes for the same seed and name, others for another', () => {
    const first = (seed: number, name = 'test') =>
      openLastStep({ ...task, name }, seed)
        .next()
        .x.data.slice()
    expect(first(5)).toEqual(first(5))
    expect(first(5)).not.toEqual(first(6))
    expect(first(5)).not.toEqual(first(5, 'other'))
  })
})

describe('the bounds', () => {
  it('are the normal distribution function at the gates’ signal to noise', () => {
    const early = lastStepBounds(task, 0.9)
    expect(early.lastToken).toBe(0.5)
    expect(early.meanPool).toBeCloseTo(0.96145, 5)
    expect(early.membrane).toBeCloseTo(0.901124, 5)
    expect(early.fullHistory).toBeCloseTo(0.998054, 5)
    // With all evidence at the start nothing should be forgotten: the mean.
    expect(bestDecay(task)).toBe(1)
    expect(early.bestMembrane).toBe(early.meanPool)
    const switching = lastStepBounds(late, 0.75)
    expect(switching.lastToken).toBeCloseTo(0.95221, 5)
    expect(switching.meanPool).toBe(0.5)
    expect(switching.bestMembrane).toBeGreaterThan(switching.membrane)
    expect(weightedAccuracy(task, [0, 0, 0, 0, 0, 0, 0, 0])).toBe(0.5)
  })

  it('are what such gates reach on samples', () => {
    const stream = openLastStep(late, 9)
    let [hits, n] = [0, 0]
    for (let i = 0; i < 40; i++) {
      const { x, ofFirst } = stream.next()
      for (let b = 0; b < 512; b++) {
        let u = 0
        for (let t = 0; t < 8; t++)
          for (let d = 0; d < 16; d++)
            u += 0.75 ** (7 - t) * (x.data[(d * 8 + t) * 512 + b] as number) * (d < 8 ? 1 : -1)
        hits += u > 0 === b < ofFirst ? 1 : 0
        n++
      }
    }
    // 20,480 sequences: five standard errors at .98 are .005.
    expect(Math.abs(hits / n - lastStepBounds(late, 0.75).membrane)).toBeLessThan(0.005)
  })
})

describe('settings', () => {
  it('are the paper’s, with a user’s changes', () => {
    expect(betaRouting.settings()).toMatchObject({
      steps: 8,
      noise: 1.2,
      epochs: 500,
      batch: 512,
      signalSteps: 3,
      switchAt: 4,
      beta: { A: 0.9, B: 0.75 },
      threshold: 1,
      learningRate: 3e-3,
      scoredEpochs: 50,
      seeds: [42, 43, 44, 45, 46],
    })
    expect(betaRouting.settings({ quick: true, epochs: 7 })).toMatchObject({ quick: true, epochs: 7 })
    expect(betaRouting.restore(JSON.parse(JSON.stringify(small)))).toEqual(small)
  })

  it.each<[string, object]>([
    ['epochs', { epochs: 0 }],
    ['beta.A', { beta: { A: 1, B: 0.5 } }],
    ['dim', { dim: 15 }],
    ['signalSteps', { signalSteps: 9 }],
    ['switchAt', { switchAt: 8 }],
    ['threshold', { threshold: -1 }],
    ['colour', { colour: 1 }],
  ])('refuse a wrong %s', (field, change) => {
    expect(() => betaRouting.restore({ ...small, ...change })).toThrow(
      expect.objectContaining({
        code: 'FEP_BAD_CONFIG',
        message: expect.stringContaining(`settings.${field}`),
      }),
    )
  })
})

describe('a run', () => {
  const run = (condition: string, change: object = {}) =>
    betaRouting.run(backend, { condition, seed: 1 }, { ...small, ...change })

  it('starts from the formula: a capped membrane of W x + b, cross-entropy on its softmax', async () => {
    const { series } = await run('lif-learned', { epochs: 1 })
    const gate = createGate({ dim: 16, experts: 4, memory: { kind: 'membrane', beta: 0.9 } })
    const params = gate.init({ seed: 1 })
    const { x, targets } = openLastStep({ ...task, name: 'last-step/A', batch: 16 }, 1).next()
    const [w, bias] = [params['W.weight']?.data, params['W.bias']?.data] as [Float32Array, Float32Array]
    const softmax = (z: readonly number[]) => {
      const e = z.map((v) => Math.exp(v))
      const sum = e.reduce((a, b) => a + b, 0)
      return e.map((v) => v / sum)
    }
    let loss = 0
    for (let b = 0; b < 16; b++) {
      const u = [0, 0, 0, 0]
      for (let t = 0; t < 8; t++)
        for (let e = 0; e < 4; e++) {
          let z = bias[e] as number
          for (let d = 0; d < 16; d++)
            z += (w[e * 16 + d] as number) * (x.data[(d * 8 + t) * 16 + b] as number)
          u[e] = Math.min(0.9 * (u[e] as number) + z, 1)
        }
      loss -= Math.log(softmax(softmax(u))[targets.data[b] as number] as number) / 16
    }
    expect(series.lossA?.[0]).toBeCloseTo(loss, 5)
  })

  it('gives the same bytes for the same job, and keeps a fixed decay', async () => {
    const [first, second] = [await run('lif-fixed'), await run('lif-fixed')]
    expect(JSON.stringify(first)).toBe(JSON.stringify(second))
    expect(first.series.betaA).toEqual([0.9, 0.9, 0.9, 0.9])
    expect(first.metrics).toMatchObject({ betaMeanB: 0.75, beta3B: 0.75 })
  })

  it('learns decays, and nothing where there is no membrane', async () => {
    const epochs: number[] = []
    const learned = await betaRouting.run(backend, { condition: 'lif-learned', seed: 1 }, small, (n) => {
      epochs.push(n)
    })
    expect(epochs).toEqual([1, 2, 3])
    expect(learned.series.betaB?.every((b) => Math.abs(b - 0.75) < 0.01 && b !== 0.75)).toBe(true)
    const crossed = (await run('lif-learned-crossed')).series
    for (const [list, start] of [
      [crossed.betaA, 0.75],
      [crossed.betaB, 0.9],
    ] as const)
      expect(list?.every((b) => Math.abs(b - start) < 0.01 && b !== start)).toBe(true)
    const stateless = await run('mean-pool')
    expect(Object.keys(stateless.metrics).sort()).toEqual(['accuracyA', 'accuracyB', 'massA', 'massB'])
    expect(stateless.series).not.toHaveProperty('betaA')
  })

  it('gets better', async () => {
    const { series } = await run('mean-pool', { epochs: 60, batch: 64 })
    const loss = series.lossA as readonly number[]
    expect(loss.at(-1)).toBeLessThan((loss[0] as number) - 0.05)
  })

  it('refuses an unknown condition', async () => {
    await expect(run('lif')).rejects.toMatchObject({ code: 'FEP_BAD_CONFIG' })
  })
})

describe('what is shown', () => {
  const invented = (seed: number): Run[] =>
    betaRouting.conditions.map((condition) => ({
      experiment: 'beta-routing',
      condition,
      seed,
      backend: 'none',
      metrics: {
        accuracyA: 0.94 + 0.002 * (seed - 1),
        accuracyB: 0.99,
        massA: 0.9,
        massB: 0.9,
        ...(condition === 'lif-learned' ? { betaMeanA: 0.9, beta0A: 0.9 } : {}),
      },
      series: { lossA: [1, 0.9], lossB: [1, 0.9], betaA: [0.9, 0.8, 0.9, 0.8] },
    }))
  const settings = betaRouting.settings({ seeds: [1, 2], epochs: 100 })
  const runs = [...invented(1), ...invented(2)]
  const summary = betaRouting.summarize(runs, settings)
  const outcome = { settings, runs, summary, bounds: betaRouting.bounds(settings) }

  it('holds one published run to three of our deviations', () => {
    const row = summary.find((r) => r.condition === 'lif-learned' && r.metric === 'accuracyA')
    expect(row).toMatchObject({ agreement: 'agrees', published: { n: 1, mean: 0.94 } })
    expect(row?.tolerance).toBeCloseTo(3 * 0.001 * Math.SQRT2 + 0.0005, 9)
    const [table, decays] = betaRouting.tables(outcome)
    expect(table?.columns).toContain('paper (one run)')
    expect(table?.rows[3]?.at(-1)).toBe('NO')
    expect(table?.rows[3]?.slice(0, 3)).toEqual(['lif-learned', '0.941±0.001', '0.940'])
    expect(decays?.rows[0]).toEqual(['A, expert 0', '0.900±0.000', '0.965', 'NO'])
    expect(JSON.stringify(betaRouting.tables(outcome))).not.toMatch(/probability/i)
  })

  it('draws the decays beside the published ones, and the loss', () => {
    const [decays, loss] = betaRouting.figures(outcome)
    expect(decays?.panels[0]?.series.map(({ points }) => points.length)).toEqual([4, 4])
    expect(decays?.panels[0]?.series[1]?.points[0]?.y).toBe(0.965)
    expect(loss?.panels).toHaveLength(2)
    expect(loss?.panels[0]?.marks?.[0]?.at).toBeCloseTo(Math.log(Math.E + 3) - 1, 12)
  })

  it('compares nothing in a quick run', () => {
    const quick = betaRouting.summarize(runs, { ...settings, quick: true })
    expect(quick.every(({ agreement }) => agreement === null)).toBe(true)
  })
})
