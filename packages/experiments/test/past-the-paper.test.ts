import { type Backend, referenceBackend } from '@fep-moe/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contenders, filterBudget, parseRun, pastThePaper, type Run, switchingTasks } from '../src/index.js'

let backend: Backend
beforeAll(async () => {
  backend = await referenceBackend()
})
afterAll(() => backend.dispose())

const settings = { ...pastThePaper.settings({ quick: true, epochs: 2 }), evaluated: 256 }
const run = (condition: string) => pastThePaper.run(backend, { condition, seed: 42 }, settings)

describe('the comparison on tasks with exact bounds', () => {
  it('has every task with every router', () => {
    const some = Object.keys(contenders).filter((name) => name.includes('tracked'))
    // Experts whose errors are told are those of one task alone.
    expect(pastThePaper.conditions).toHaveLength(7 * Object.keys(contenders).length - 6 * some.length)
    expect(pastThePaper.conditions.filter((name) => name.endsWith('/belief+pi-tracked'))).toEqual([
      'unreliable/belief+pi-tracked',
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
    'jittered/affinity',
    'jittered/beta+pi+ant',
    'jittered/min-gru-state',
    'jittered/belief',
    'jittered/beta+ant+clock-reset',
    'jittered/convolution',
    'unreliable/belief+pi-tracked',
  ])('runs %s, the same for the same job', async (condition) => {
    const first = await run(condition)
    expect(parseRun(JSON.parse(JSON.stringify(first)))).toEqual(first)
    expect(Object.keys(first.metrics).filter((name) => !(name in pastThePaper.metrics))).toEqual([])
    for (const metric of ['accuracyAll', 'logLossAll', 'bound/accuracyAll', 'parameters', 'state', 'flops'])
      expect(first.metrics[metric], metric).toEqual(expect.any(Number))
    // Hardly trained, no router can be better than the filter.
    expect(first.metrics.logLossAll).toBeGreaterThan(first.metrics['bound/logLossAll'] as number)
    expect(first.series.right).toHaveLength(condition.startsWith('jittered') ? 12 : 48)
    if (condition === 'jittered/affinity') expect(await run(condition)).toEqual(first)
  })

  it('scores all routers of a seed beside the same filter on the same sequences', async () => {
    const [a, b] = [await run('fixed/affinity'), await run('fixed/pi')]
    expect(a.metrics['bound/accuracyAll']).toBe(b.metrics['bound/accuracyAll'])
    expect(a.series.right).toEqual(b.series.right)
    // The filter of a fixed switch knows when it comes.
    expect(a.metrics['bound/accuracySwitches']).toBeGreaterThan(0.999)
  })

  it('measures shares of the gap by seed, where there is one', () => {
    const metrics = (accuracyAll: number, logLossAll: number) => ({
      accuracyAll,
      accuracySwitches: 0.1,
      logLossAll,
      logLossSwitches: 2,
      'bound/accuracyAll': 0.85,
      'bound/accuracySwitches': 0.105,
      'bound/logLossAll': 0.4,
      'bound/logLossSwitches': 1,
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
        metrics: condition.endsWith('/affinity') ? metrics(seed === 1 ? 0.75 : 0.65, 0.8) : metrics(0.8, 0.5),
        series: {},
      })),
    )
    const summary = pastThePaper.summarize(runs, two)
    const find = (condition: string, metric: string) =>
      summary.find((row) => row.condition === condition && row.metric === metric)?.ours
    expect(find('renewal/beta', 'gap/accuracyAll')?.mean).toBeCloseTo((0.5 + 0.75) / 2, 12)
    expect(find('renewal/beta', 'gap/logLossAll')?.mean).toBeCloseTo(0.75, 12)
    expect(find('renewal/affinity', 'gap/accuracyAll')?.mean).toBe(0)
    // .005 is no gap.
    expect(find('renewal/beta', 'gap/accuracySwitches')).toBeUndefined()
    const tables = pastThePaper.tables({ settings: two, runs, summary, bounds: [] })
    expect(tables).toHaveLength(7)
    expect(tables[0]?.rows.at(-1)?.slice(0, 2)).toEqual(['exact filter', '0.850±0.000'])
    expect(pastThePaper.figures({ settings: two, runs, summary, bounds: [] })).toEqual([])
  })

  it('checks settings', () => {
    expect(pastThePaper.restore(JSON.parse(JSON.stringify(pastThePaper.settings())))).toEqual(
      pastThePaper.settings(),
    )
    const bad = expect.objectContaining({ code: 'FEP_BAD_CONFIG' })
    expect(() => pastThePaper.restore({ ...pastThePaper.settings(), evaluated: 0 })).toThrow(bad)
    expect(() => pastThePaper.settings({ epochs: 0 })).toThrow(bad)
  })

  it('refuses a condition that is none', async () => {
    await expect(run('renewal/lstm')).rejects.toMatchObject({ code: 'FEP_BAD_CONFIG' })
  })
})
