import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Backend, referenceBackend, type Tensor, tensor } from '@fep-moe/core'
import { cutoffsOf, targetShare, withCutoffs } from '@fep-moe/core/policies'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { layerOf, thresholdLayerOf } from '../src/expert-threshold/conditions.js'
import { createByteModel } from '../src/expert-threshold/model.js'
import {
  fanoutByLoss,
  fanoutCorrelation,
  fanoutShares,
  imbalanceOf,
  routingChanged,
} from '../src/expert-threshold/scoring.js'
import { changeSource, windowsOf } from '../src/expert-threshold/source-change.js'
import { chosenRows, openText } from '../src/expert-threshold/stream.js'
import { readTexts, SOURCES, splitText, TEXTS_DIGEST } from '../src/expert-threshold/texts.js'
import { expertThreshold, openExpertThreshold, type Run } from '../src/index.js'

const sizes = { batch: 8, steps: 6, window: 3, embedding: 4, dim: 6, experts: 4, width: 5 }
const settings = {
  ...expertThreshold.settings({ seeds: [1, 2], epochs: 4 }),
  ...sizes,
  ...{ warmUp: 2, scoredBatches: 4, calibrationBatches: 2 },
}
let backend: Backend
beforeAll(async () => {
  backend = await referenceBackend()
})
afterAll(() => backend.dispose())

describe('settings', () => {
  it('survive a file, and refuse what no training can do', () => {
    expect(expertThreshold.restore(JSON.parse(JSON.stringify(settings)))).toEqual(settings)
    expect(expertThreshold.settings({ quick: true })).toMatchObject({ quick: true, seeds: [1] })
    for (const bad of [{ batch: 12 }, { experts: 1 }, { decay: 1 }, { capacity: -1 }, { other: 1 }])
      expect(() => expertThreshold.restore({ ...settings, ...bad })).toThrow(
        expect.objectContaining({ code: 'FEP_BAD_CONFIG' }),
      )
  })

  it('give all policies the same share of the tokens', () => {
    const share = (condition: string) => {
      const { policy } = createByteModel(settings, layerOf(condition, settings)).layer
      return policy.kind === 'token-choice' ? policy.k / policy.experts : targetShare(policy as never)
    }
    for (const condition of expertThreshold.conditions)
      expect(share(condition)).toBe(condition.includes('unshared') ? 1 / 2 : 1 / 4)
    expect(thresholdLayerOf('tc', settings)).toBeNull()
    expect(thresholdLayerOf('ec half', settings)?.router.select).toMatchObject({ kind: 'threshold' })
    expect(() => layerOf('ec third', settings)).toThrow(expect.objectContaining({ code: 'FEP_BAD_CONFIG' }))
  })
})

describe('the texts', () => {
  it('are the ones that finished runs are kept for', () => {
    const file = readFileSync(join(import.meta.dirname, '../data/texts.json.br'))
    expect(createHash('sha256').update(file).digest('hex')).toBe(TEXTS_DIGEST)
  })

  it('are three sources of hundreds of kilobytes that differ', async () => {
    const texts = await readTexts()
    expect(Object.keys(texts)).toEqual([...SOURCES])
    const commas = SOURCES.map((name) => {
      const { training, heldOut } = texts[name]
      expect(training.length).toBeGreaterThan(300_000)
      expect(heldOut.length / training.length).toBeCloseTo(1 / 9, 1)
      return training.filter((byte) => byte === 44).length / training.length
    })
    expect(new Set(commas.map((share) => share.toFixed(3))).size).toBe(3)
  })

  it('hold every tenth block out', () => {
    const bytes = Uint8Array.from({ length: 4096 * 20 + 7 }, (_, i) => Math.floor(i / 4096))
    const { training, heldOut } = splitText(bytes)
    expect([...new Set(heldOut)]).toEqual([9, 19])
    expect(training.length + heldOut.length).toBe(bytes.length)
    expect(training.some((block) => block === 9)).toBe(false)
  })

  it('come in batches: what follows is to be predicted, the same for the same seed', () => {
    const source = Uint8Array.from({ length: 100 }, (_, i) => i)
    const { x, y } = openText([source], sizes, 7, 'training').next()
    expect([x.shape, y.shape]).toEqual([
      [8, 8],
      [8, 6],
    ])
    for (let b = 0; b < 8; b++)
      for (let t = 0; t < 6; t++) expect(y.data[b * 6 + t]).toBe((x.data[b * 8 + t + 2] as number) + 1)
    const again = openText([source], sizes, 7, 'training')
    expect(again.next().x).toEqual(x)
    expect(again.next().x).not.toEqual(x)
    expect(openText([source], sizes, 7, 'scoring').next().x).not.toEqual(x)
    expect(chosenRows({ x, y }, [3, 0]).y.data.slice(0, 6)).toEqual(y.data.slice(18, 24))
    expect(() => openText([source.subarray(0, 8)], sizes, 7, 'training')).toThrow(
      expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }),
    )
  })
})

describe('scores', () => {
  const tokens = { losses: [4, 1, 3, 2, 0, 5, 6, 7, 8, 9], fanouts: [1, 0, 1, 0, 0, 1, 2, 2, 2, 2] }

  it('say how experts are shared out', () => {
    expect(fanoutShares(tokens.fanouts, 3)).toEqual([0.3, 0.3, 0.4, 0])
    expect(fanoutByLoss(tokens)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    expect(fanoutCorrelation(tokens)).toBeGreaterThan(0.9)
    expect(fanoutCorrelation({ ...tokens, fanouts: tokens.fanouts.map(() => 1) })).toBe(0)
    expect(imbalanceOf([3, 6, 1], 20, 0.2)).toBe(1.5)
  })

  it('go by windows of batches', () => {
    const batch = (loss: number, load: readonly number[]) => ({
      tokenLoss: tensor([[loss, loss]]),
      load: tensor([...load]),
      mask: tensor([0]),
      logits: tensor([0]),
    })
    const results = [batch(1, [2, 0]), batch(2, [0, 2])]
    expect(windowsOf(results, 0.5)).toEqual({ imbalance: [2, 2], loss: [1, 2] })
    const many = Array.from({ length: 16 }, (_, i) => batch(i, i % 2 ? [2, 0] : [0, 2]))
    expect(windowsOf(many, 0.5).imbalance).toEqual(Array(8).fill(1))
  })
})

/** A model with cutoffs that let about the wanted share through, and batches of bytes. */
async function servedModel(condition: string) {
  const model = createByteModel(settings, layerOf(condition, settings))
  const { novel } = await readTexts()
  const text = openText([novel.training], settings, 5, 'test')
  const batches = Array.from({ length: 6 }, () => text.next())
  const { policy } = model.layer
  const initial = model.layer.initialState()
  const state = policy.kind === 'threshold' ? withCutoffs(policy, initial, [-1, 0, 0.5, 1]) : initial
  return { served: { backend, model, params: model.init(3), state }, batches }
}

describe('a model', () => {
  it('trains on the loss that it is scored by', async () => {
    const training = await openExpertThreshold(backend, { condition: 'tc aux', seed: 1 }, settings)
    const batch = training.sample()
    const [params, state] = [await training.params(), await training.state()]
    const { tokenLoss, load } = await training.model.run(backend, params, state, batch)
    const step = await training.step(batch)
    const mean = Array.from(tokenLoss.data).reduce((a, b) => a + b, 0) / tokenLoss.data.length
    expect(await step.task()).toBeCloseTo(mean, 5)
    expect(await step.loss()).toBeGreaterThan(await step.task())
    expect(await step.load()).toEqual(Array.from(load.data))
    await training.dispose()
  })

  it('gives all policies of a seed the same batches and the same start', async () => {
    const open = (condition: string) => openExpertThreshold(backend, { condition, seed: 4 }, settings)
    const [a, b] = [await open('tc'), await open('et')]
    expect(a.sample()).toEqual(b.sample())
    const [p, q] = [await a.params(), await b.params()]
    expect(Object.keys(p)).toEqual(Object.keys(q))
    for (const name of Object.keys(p)) expect((p[name] as Tensor).data).toEqual((q[name] as Tensor).data)
    await a.dispose()
    await b.dispose()
  })

  it.each([
    ['tc', false],
    ['et', false],
    ['ec eighth', false],
    ['ec', true],
  ])('%s: routing changes with the batch: %s', async (condition, changes) => {
    const { served, batches } = await servedModel(condition)
    const share = await routingChanged(served, batches[0] as never, batches[1] as never)
    // A pool of one sequence keeps its company.
    expect(share > 0).toBe(changes)
    await served.model.release(backend)
  })

  it('adapts its cutoffs to a new source: up where too many tokens pass, down where too few do', async () => {
    const { served, batches } = await servedModel('et')
    const before = cutoffsOf(served.model.layer.policy, served.state)
    const { services, followed } = await changeSource(served, batches.slice(0, 4), batches.slice(4), 0.5)
    expect(followed).toBe(1)
    expect(cutoffsOf(served.model.layer.policy, served.state)).toEqual(before)
    const worst = (list: (typeof services)['frozen']) => windowsOf(list, 1 / 4).imbalance.at(-1) as number
    expect(worst(services.adapted)).toBeLessThan(worst(services.frozen))
    expect(worst(services.recalibrated)).toBeLessThan(worst(services.frozen))
    expect(services.adapted[0]?.load).toEqual(services.frozen[0]?.load)
    await served.model.release(backend)
  })
})

describe('the experiment', () => {
  it('runs every policy, and has tables and figures of all that was found', async () => {
    const runs: Run[] = []
    const seen: number[] = []
    for (const condition of expertThreshold.conditions) {
      const job = { condition, seed: 1 }
      const run = await expertThreshold.run(backend, job, settings, (done) => void seen.push(done))
      // A second seed that differs, without a second training.
      const other = { ...run.metrics, loss: (run.metrics.loss as number) + runs.length }
      runs.push(run, { ...run, seed: 2, metrics: other })
    }
    expect(seen.slice(0, 4)).toEqual([1, 2, 3, 4])
    const of = (condition: string) => runs.find((r) => r.condition === condition) as Run
    for (const { condition, metrics } of runs) {
      expect(Object.values(metrics).every(Number.isFinite), condition).toBe(true)
      expect(metrics.routingChanged, condition).toBe(0)
    }
    expect(of('et').metrics.perplexity).toBeCloseTo(Math.exp(of('et').metrics.loss as number), 10)
    expect(of('tc').metrics.fanout).toBe(1)
    expect(of('tc').metrics.imbalanceAdapted).toBeUndefined()
    expect(of('ec').metrics.routingChangedChoice).toBeGreaterThan(0)
    expect(of('ec').metrics.imbalanceTraining).toBe(1)
    expect(of('et').series.cutoffLow).toHaveLength(4)
    expect(of('et').series.clamped?.slice(0, 2)).toEqual([0, 0])
    expect(of('et').series['imbalance/frozen']?.slice(0, 4)).toEqual(
      of('et').series['imbalance/adapted']?.slice(0, 4),
    )
    const summary = expertThreshold.summarize(runs, settings)
    const change = summary.find((row) => row.condition === 'tc' && row.metric === 'lossChange')
    const pairs = settings.seeds.map((seed) => {
      const loss = (condition: string) =>
        runs.find((r) => r.condition === condition && r.seed === seed)?.metrics.loss as number
      return loss('tc') - loss('et')
    })
    expect(change?.ours.mean).toBeCloseTo((pairs[0]! + pairs[1]!) / 2, 12)
    expect(summary.some((row) => row.condition === 'et' && row.metric === 'lossChange')).toBe(false)
    const outcome = { settings, runs, summary, bounds: expertThreshold.bounds(settings) }
    const tables = expertThreshold.tables(outcome)
    expect(tables.map(({ rows }) => rows.length)).toEqual([10, 10, 10, 7, 10])
    for (const { columns, rows } of tables)
      for (const row of rows) expect(row.length, row[0]).toBe(columns.length)
    const figures = expertThreshold.figures(outcome)
    for (const { id, panels } of figures)
      for (const { series } of panels)
        for (const { name, points } of series) {
          expect(points.length, `${id}: ${name}`).toBeGreaterThan(0)
          expect(
            points.every(({ x, y }) => Number.isFinite(x + y)),
            `${id}: ${name}`,
          ).toBe(true)
        }
  })
})
