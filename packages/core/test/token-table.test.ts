/** Gates that see a small table of tokens: their layers come from the table, with the numbers of the plain form. */
import { describe, expect, it } from 'vitest'
import { savesProducts } from '../src/gates/token-table.js'
import {
  createLanguageModel,
  gradients,
  type LanguageModelConfig,
  optimize,
  type RouterConfig,
  referenceBackend,
  type Tensor,
  tensor,
  toHost,
} from '../src/index.js'

const backend = await referenceBackend({ precision: 'float64' })
const memory = { kind: 'leaky' } as const
const routers: Readonly<Record<string, RouterConfig>> = {
  affinity: {},
  membrane: { memory: { kind: 'membrane' } },
  additive: { anticipation: { kind: 'additive', width: 6 } },
  'beta+additive': { memory, anticipation: { kind: 'additive', width: 6 } },
  'two hidden layers': { memory, anticipation: { kind: 'additive', width: 6, depth: 2 } },
  'low rank': { memory, anticipation: { kind: 'additive', width: 6, rank: 2 } },
  belief: { belief: { phases: 3 } },
  'belief with hidden units and cues': { belief: { states: 3, phases: 2, width: 4, cues: 2, horizon: 0 } },
  'a clock beside the token': { clock: { resonators: 2 } },
  'beta+additive, clock': {
    memory,
    anticipation: { kind: 'additive', width: 6 },
    clock: { integrators: 2, resonators: 2 },
  },
  'direct, relu': { memory, anticipation: { kind: 'direct', width: 6, activation: 'relu' } },
}

const [BATCH, STEPS, VOCABULARY, DIM] = [2, 4, 3, 5]
const ids = (values: readonly number[]): Tensor => tensor(Int32Array.from(values), [BATCH, STEPS])
const batch = { x: ids([0, 2, 1, 1, 2, 0, 0, 1]), y: ids([2, 1, 1, 0, 0, 0, 1, 2]) }

const modelOf = (router: RouterConfig, form: LanguageModelConfig['form'], size = {}) =>
  createLanguageModel({
    ...{ vocabulary: VOCABULARY, dim: DIM, experts: 2, router, dispatchAhead: true, ...size },
    ...(form ? { form } : {}),
  })

/** Logits, weights, losses and every gradient. */
async function everythingOf(router: RouterConfig, form: LanguageModelConfig['form']) {
  const model = modelOf(router, form)
  const params = model.init({ seed: 3 })
  const { logits, weights } = await model.run(backend, params, batch.x)
  const graph = gradients(model.lossGraph({ steps: STEPS }), {
    of: 'loss',
    wrt: model.params.map(({ name }) => name),
  })
  const program = await backend.compile(graph)
  const found: Record<string, Tensor> = { logits, weights }
  for (const [name, t] of Object.entries(await program.run({ ...params, ...batch })))
    found[name] = await toHost(t)
  program.dispose()
  await model.release(backend)
  return found
}

describe('a gate on a table of tokens', () => {
  it.each(Object.keys(routers))('%s: outputs and gradients of the plain form', async (name) => {
    expect(savesProducts(DIM, VOCABULARY)).toBe(true)
    const router = routers[name] as RouterConfig
    const [plain, tables] = [await everythingOf(router, 'plain'), await everythingOf(router, 'tables')]
    expect(Object.keys(tables)).toEqual(Object.keys(plain))
    for (const [key, { data }] of Object.entries(plain))
      data.forEach((want: number, i: number) => {
        expect(tables[key]?.data[i], `${key}[${i}]`).toBeCloseTo(want, 11)
      })
  })

  it('takes V columns in place of d for the token, and no gradient for it', () => {
    const model = modelOf({ memory, anticipation: { kind: 'additive' } }, 'tables', {
      dim: 64,
      vocabulary: 26,
    })
    const wrt = model.params.map(({ name }) => name)
    const graph = optimize(gradients(model.lossGraph({ steps: 8 }), { of: 'loss', wrt }))
    const shapeOf = (value: string) => graph.values[value]?.shape.join()
    const products = graph.nodes
      .filter(({ op }) => op === 'MatMul')
      .map(({ inputs }) => inputs.map(shapeOf).join(' · '))
    expect(products).toContain('256,90 · 90,8*batch')
    expect(products).toContain('64,256 · 256,8*batch')
    for (const plain of ['256,128 · 128,8*batch', '90,256 · 256,8*batch', '128,256 · 256,8*batch'])
      expect(products).not.toContain(plain)
  })

  it('saves where the vocabulary is below one and a half times the width', () => {
    expect([47, 48, 95, 96].map((v) => savesProducts(64, v))).toEqual([true, true, true, false])
  })
})
