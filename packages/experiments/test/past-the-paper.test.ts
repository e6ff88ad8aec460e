import { type Backend, referenceBackend } from '@fep-moe/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  contenders,
  filterBudget,
  openSwitching,
  parseRun,
  pastThePaper,
  type Run,
  switchingTasks,
} from '../src/index.js'

let backend: Backend
beforeAll(async () => {
  backend = await referenceBackend()
})
afterAll(() => backend.dispose())

const settings = { ...pastThePaper.settings({ quick: true, epochs: 2 }), evaluated: 256 }
const MIXTURES = 6
const run = (condition: string) => pastThePaper.run(backend, { condition, seed: 42 }, settings)

describe('the comparison on tasks with exact bounds', () => {
  it('has every task with every router', () => {
    const some = Object.keys(contenders).filter((name) => name.includes('tracked'))
    // Experts whose errors are told are those of one task alone.
    expect(pastThePaper.conditions).toHaveLength(
      8 * Object.keys(contenders).length - 7 * some.length + MIXTURES,
    )
    expect(pastThePaper.conditions.filter((name) => name.endsWith(' belief+pi-tracked'))).toEqual([
      'unreliable belief+pi-tracked',
    ])
    expect(Object.keys(contenders)).toEqual([
      'affinity',
      'beta',
      'pi',
      'ant',
      'beta+pi',
      'beta+ant',
      'pi+ant',
      'beta+pi+ant',
      'fep',
      'belief',
      'belief-phase-type',
      'belief+copies',
      'belief+cues',
      'beta+ant+clock',
      'beta+ant+clock-reset',
      'beta+pi-tracked',
      'beta+pi-tracked+ant',
      'belief+pi-tracked',
      'gru-parameters',
      'gru-state',
      'min-gru-parameters',
      'min-gru-state',
      'convolution',
    ])
  })

  it('gives routers the budget of the belief gate', async () => {
    // Evidence 4 · 17, prior 4, hazards 4 · 16, transitions and read-out 4 · 4 each.
    expect(filterBudget(switchingTasks.renewal)).toEqual({ parameters: 168, state: 64 })
    for (const task of [switchingTasks.fixed, switchingTasks.renewal, switchingTasks.unreliable]) {
      const { parameters, state } = filterBudget(task)
      const costOf = (name: string) => {
        const make = contenders[name]
        if (!make) throw new Error(name)
        return make(task).cost()
      }
      expect(await costOf('belief')).toMatchObject({ parameters, state })
      for (const kind of ['gru', 'min-gru']) {
        expect((await costOf(`${kind}-parameters`)).parameters).toBeLessThanOrEqual(parameters)
        expect((await costOf(`${kind}-state`)).state).toBeLessThanOrEqual(state)
        expect((await costOf(`${kind}-state`)).state).toBeGreaterThan(state - 2)
      }
    }
  })

  it.each([
    'jittered affinity',
    'jittered beta+pi+ant',
    'jittered min-gru-state',
    'jittered belief',
    'jittered beta+ant+clock-reset',
    'jittered convolution',
    'unreliable belief+pi-tracked',
    'long beta',
  ])('runs %s, the same for the same job', async (condition) => {
    const first = await run(condition)
    expect(parseRun(JSON.parse(JSON.stringify(first)))).toEqual(first)
    expect(Object.keys(first.metrics).filter((name) => !(name in pastThePaper.metrics))).toEqual([])
    for (const metric of ['accuracyAll', 'logLossAll', 'boundAccuracyAll', 'parameters', 'state', 'flops'])
      expect(first.metrics[metric], metric).toEqual(expect.any(Number))
    // Hardly trained, no router can be better than the filter.
    expect(first.metrics.logLossAll).toBeGreaterThan(first.metrics.boundLogLossAll as number)
    expect(first.series.right).toHaveLength(
      { jittered: 12, long: 256 }[condition.split(' ')[0] as string] ?? 48,
    )
    if (condition === 'jittered affinity') expect(await run(condition)).toEqual(first)
  })

  it('scores all routers of a seed beside the same filter on the same sequences', async () => {
    const [a, b] = [await run('fixed affinity'), await run('fixed pi')]
    expect(a.metrics.boundAccuracyAll).toBe(b.metrics.boundAccuracyAll)
    expect(a.series.right).toEqual(b.series.right)
    // The filter of a fixed switch knows when it comes.
    expect(a.metrics.boundAccuracySwitches).toBeGreaterThan(0.999)
  })

  it('measures shares of the gap by seed, where there is one', () => {
    const metrics = (accuracyAll: number, logLossAll: number) => ({
      accuracyAll,
      accuracySwitches: 0.1,
      logLossAll,
      logLossSwitches: 2,
      boundAccuracyAll: 0.85,
      boundAccuracySwitches: 0.105,
      boundLogLossAll: 0.4,
      boundLogLossSwitches: 1,
      parameters: 10,
      state: 0,
      flops: 20,
    })
    const two = { ...settings, seeds: [1, 2] }
    const runs: Run[] = pastThePaper.conditions.flatMap((condition) =>
      two.seeds.map((seed) => ({
        experiment: 'past-the-paper',
        condition,
        seed,
        backend: 'reference',
        metrics: condition.endsWith(' affinity') ? metrics(seed === 1 ? 0.75 : 0.65, 0.8) : metrics(0.8, 0.5),
        series: {},
      })),
    )
    const summary = pastThePaper.summarize(runs, two)
    const find = (condition: string, metric: string) =>
      summary.find((row) => row.condition === condition && row.metric === metric)?.ours
    expect(find('renewal beta', 'gapAccuracyAll')?.mean).toBeCloseTo((0.5 + 0.75) / 2, 12)
    expect(find('renewal beta', 'gapLogLossAll')?.mean).toBeCloseTo(0.75, 12)
    expect(find('renewal affinity', 'gapAccuracyAll')?.mean).toBe(0)
    expect(find('renewal beta', 'shortAccuracyAll')?.mean).toBeCloseTo(0.05, 12)
    expect(find('renewal beta', 'shortLogLossAll')?.mean).toBeCloseTo(0.1, 12)
    // .005 is no gap.
    expect(find('renewal beta', 'gapAccuracySwitches')).toBeUndefined()
    const tables = pastThePaper.tables({ settings: two, runs, summary, bounds: [] })
    // The shares in accuracy and in log loss, eight tasks, and the mixtures.
    expect(tables).toHaveLength(2 + 8 + 1)
    expect(tables[0]?.rows.find(([router]) => router === 'beta')?.slice(1, 3)).toEqual([
      '0.625±0.177',
      '0.625±0.177',
    ])
    expect(tables[2]?.rows.at(-1)?.slice(0, 2)).toEqual(['exact filter', '0.850±0.000'])
    // Nothing of a stream was kept.
    const figures = pastThePaper.figures({ settings: two, runs, summary, bounds: [] })
    expect(figures.map(({ id }) => id)).toEqual(['continual'])
  })

  it('checks settings', () => {
    expect(pastThePaper.restore(JSON.parse(JSON.stringify(pastThePaper.settings())))).toEqual(
      pastThePaper.settings(),
    )
    const bad = expect.objectContaining({ code: 'FEP_BAD_CONFIG' })
    expect(() => pastThePaper.restore({ ...pastThePaper.settings(), evaluated: 0 })).toThrow(bad)
    // 4096 steps are no whole number of windows.
    expect(() => pastThePaper.restore({ ...pastThePaper.settings(), window: 500 })).toThrow(bad)
    expect(() => pastThePaper.settings({ epochs: 0 })).toThrow(bad)
    expect(pastThePaper.settings({ epochs: 7 })).toMatchObject({
      paperEpochs: 7,
      longEpochs: 7,
      domainEpochs: 7,
    })
  })

  it.each(['beta+pi+ant', 'belief+pi-tracked', 'gru-state', 'convolution'])(
    '%s says of windows, with what it carries, what it says of the whole',
    async (name) => {
      const task = { ...switchingTasks.unreliable, batch: 4, steps: 12, scored: { from: 0, to: 12 } }
      const batch = openSwitching(task, 1).next()
      const answers = await Promise.all(
        [12, 4].map(async (window) => {
          const contender = await (contenders[name] as (typeof contenders)[string])(task).open(backend, {
            seed: 1,
            learningRate: 1e-3,
            window,
          })
          const evaluator = await contender.finish()
          const found = await evaluator.probabilities(batch)
          evaluator.dispose()
          await contender.dispose()
          return found
        }),
      )
      const [whole, parts] = answers as [Float64Array, Float64Array]
      expect(parts).toHaveLength(8 * 12 * 4)
      for (const [i, p] of parts.entries()) expect(p).toBeCloseTo(whole[i] as number, 5)
    },
  )

  it.each(['dense', 'beta+pi+ant', 'belief'])('measures what a mixture with %s forgets', async (router) => {
    const short = { ...settings, domainEpochs: 40, evaluated: 64 }
    const { metrics, series } = await pastThePaper.run(
      backend,
      { condition: `continual ${router}`, seed: 42 },
      short,
    )
    const { errorAfterFirst, errorAfterLast, forgetting, errorEnd, boundError } = metrics as Record<
      string,
      number
    >
    expect(forgetting).toBe((errorAfterLast as number) - (errorAfterFirst as number))
    // The noise of the targets alone is .01.
    expect(boundError).toBeGreaterThan(0.01)
    expect(errorAfterFirst).toBeGreaterThan(boundError as number)
    expect(errorEnd).toBeGreaterThan(boundError as number)
    // The domain that was just learned is known better than at the start.
    expect(series.error2?.at(-1)).toBeLessThan(series.error2?.[0] as number)
    expect(Object.keys(series)).toEqual(['error0', 'error1', 'error2'])
  })

  it('draws the belief over time, every task, and forgetting', async () => {
    const routers = ['affinity', 'belief']
    const runs = await Promise.all(routers.map((router) => run(`renewal ${router}`)))
    const figures = pastThePaper.figures({ settings, runs, summary: [], bounds: [] })
    expect(figures.map(({ id }) => id)).toEqual(['belief-over-time', 'belief-renewal'])
    const [truth, filter] = figures[0]?.panels ?? []
    for (let t = 0; t < 48; t++) {
      expect(truth?.series.reduce((sum, { points }) => sum + (points[t]?.y ?? 0), 0)).toBe(1)
      expect(filter?.series.reduce((sum, { points }) => sum + (points[t]?.y ?? 0), 0)).toBeCloseTo(1, 4)
    }
  })

  it('refuses a condition that is none', async () => {
    await expect(run('renewal lstm')).rejects.toMatchObject({ code: 'FEP_BAD_CONFIG' })
  })
})
