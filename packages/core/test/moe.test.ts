/** Sparse layers: what is accepted, what is refused, how many rows are computed, and experts that recover. */
import { describe, expect, it } from 'vitest'
import { adam, precisionTracker, random, referenceBackend, type Tensor, tensor } from '../src/index.js'
import {
  createMoeLayer,
  type MoeLayerConfig,
  PAPER_B_INIT,
  paperBLayer,
  resolveMoeLayer,
  rowBound,
  rungFor,
} from '../src/moe/index.js'
import { resolvePolicy } from '../src/policies/index.js'
import { codeOf, wave32 } from './helpers.js'

const base: MoeLayerConfig = { dim: 4, experts: 4, router: { select: { kind: 'token-choice', k: 2 } } }

describe('the configuration of a layer', () => {
  it('has defaults', () => {
    const { experts, shared, residual, policy } = resolveMoeLayer(base)
    expect(experts).toEqual({ dim: 4, count: 4, width: 16, activation: 'gelu', bias: false })
    expect([shared, residual, policy.kind]).toEqual([null, true, 'token-choice'])
  })

  it.each<[string, unknown]>([
    ['no router', { dim: 4, experts: 4 }],
    ['an unknown field', { ...base, hidden: 3 }],
    ['no width', { ...base, expert: { width: 0 } }],
    ['an unknown activation', { ...base, expert: { activation: 'tanh' } }],
    ['a shared expert of another kind', { ...base, shared: { weight: 'half' } }],
    [
      'a share for a shared expert that is not there',
      { ...base, router: { select: { kind: 'threshold', sharedExpert: true } } },
    ],
    [
      'a gate that decides for the next token',
      { ...base, router: { ...base.router, anticipation: { kind: 'direct' } } },
    ],
  ])('refuses %s', async (_, config) => {
    expect(await codeOf(() => createMoeLayer(config as MoeLayerConfig))).toBe('FEP_BAD_CONFIG')
  })

  it('dispatches ahead where that is allowed', () => {
    const router = { ...base.router, anticipation: { kind: 'direct' } } as const
    expect(createMoeLayer({ ...base, router, dispatchAhead: true }).gate.anticipation?.kind).toBe('direct')
  })

  it('counts a shared expert in the share of the others', () => {
    const select = { kind: 'threshold', granularity: 2, expansion: 2 } as const
    const shareOf = (config: MoeLayerConfig) =>
      (resolveMoeLayer(config).policy as { sharedExpert: boolean }).sharedExpert
    expect(shareOf({ ...base, router: { select } })).toBe(false)
    expect(shareOf({ ...base, router: { select }, shared: {} })).toBe(true)
    expect(shareOf({ ...base, router: { select: { ...select, sharedExpert: false } }, shared: {} })).toBe(
      false,
    )
  })

  it('names parameters as PyTorch and Mixtral do', () => {
    const names = (config: MoeLayerConfig) => createMoeLayer(config).params.map(({ name }) => name)
    expect(names({ ...base, experts: 2, expert: { bias: true }, shared: {} })).toEqual([
      'router.W.weight',
      'router.W.bias',
      ...[0, 1].flatMap((e) =>
        ['0', '2'].flatMap((l) => [`experts.${e}.${l}.weight`, `experts.${e}.${l}.bias`]),
      ),
      'shared.0.weight',
      'shared.0.bias',
      'shared.2.weight',
      'shared.2.bias',
    ])
    const swiglu = names({ ...base, experts: 2, expert: { activation: 'swiglu' } })
    expect(swiglu.slice(2, 5)).toEqual(['experts.0.w1.weight', 'experts.0.w2.weight', 'experts.0.w3.weight'])
  })

  it('has the layer of paper B', () => {
    const layer = createMoeLayer(paperBLayer({ dim: 8, experts: 16 }))
    expect(layer.experts).toMatchObject({ activation: 'relu-squared', bias: false, width: 16 })
    expect(layer.policy).toMatchObject({ kind: 'threshold', sharedExpert: true, expansion: 8 })
    expect(layer.params.some(({ name }) => name.endsWith('bias'))).toBe(false)
    const { data } = layer.init({ seed: 1, scheme: PAPER_B_INIT })['experts.3.0.weight'] as Tensor
    const bound = Math.sqrt(6 / (8 + 16))
    const largest = Math.max(...Array.from(data, Math.abs))
    expect(largest).toBeLessThanOrEqual(bound)
    expect(largest).toBeGreaterThan(0.9 * bound)
  })
})

describe('rows', () => {
  it('are counted in steps of a ladder', () => {
    expect([1, 2, 3, 4, 5, 7, 9, 13, 100, 129].map((n) => rungFor(n, 1e6))).toEqual([
      1, 2, 3, 4, 6, 8, 12, 16, 128, 192,
    ])
    expect(rungFor(100, 110)).toBe(110)
    expect(rungFor(0, 10)).toBe(1)
  })

  it('are bounded by the policy where that is possible', () => {
    const of = (config: object, training = false) =>
      rowBound(resolvePolicy(config, 8), { batch: 4, steps: 16, training })
    expect(of({ kind: 'token-choice', k: 3 })).toEqual({ kind: 'fixed', k: 3 })
    expect(of({ kind: 'expert-choice' })).toEqual({ kind: 'bounded', most: 8 * 16 })
    expect(of({ kind: 'expert-choice', pool: 1 })).toEqual({ kind: 'bounded', most: 8 * 4 * 4 })
    expect(of({ kind: 'threshold' }, true)).toEqual({ kind: 'bounded', most: 8 * 24 })
    expect(of({ kind: 'threshold' })).toEqual({ kind: 'open', expected: 160, most: 512 })
    expect(of({ kind: 'threshold', capacity: null }, true).kind).toBe('open')
    expect(of({ kind: 'cosine-threshold' })).toMatchObject({ kind: 'open', most: 512 })
  })
})

describe('a layer', () => {
  it('computes only what was routed', () => {
    const layer = createMoeLayer({ ...base, experts: 64, expert: { width: 8 } })
    const { values, nodes } = layer.graph({ batch: 1, steps: 16 })
    const products = nodes.filter(({ op }) => op === 'GroupedMatMul')
    expect(products.map(({ outputs }) => values[outputs[0] as string]?.shape)).toEqual([
      [32, 8],
      [32, 4],
    ])
  })

  it('gives the same bytes when it runs again, opened or not', async () => {
    const backend = await referenceBackend()
    const layer = createMoeLayer({ ...base, router: { select: { kind: 'threshold' } } })
    const [params, state, x] = [layer.init({ seed: 3 }), layer.initialState(), wave32([2, 5, 4])]
    const first = await layer.run(backend, params, state, x)
    const again = await layer.run(backend, params, state, x)
    const opened = await layer.open(backend, params, state)
    expect(again.y.data).toEqual(first.y.data)
    expect((await opened.run(x)).y.data).toEqual(first.y.data)
    await opened.dispose()
    expect(await codeOf(() => opened.run(x))).toBe('FEP_DISPOSED')
  })

  it('loses no pair where several calls at once have too few rows', async () => {
    const backend = await referenceBackend()
    const layer = createMoeLayer({ ...base, router: { select: { kind: 'threshold', capacity: null } } })
    const all = { cutoff: tensor([-9, -9, -9, -9]), correction: tensor(new Float32Array([1]), []) }
    const state = { ...layer.initialState(), ...all }
    const [params, x] = [layer.init({ seed: 3 }), wave32([2, 5, 4])]
    const runs = await Promise.all([1, 2, 3].map(() => layer.run(backend, params, state, x)))
    const alone = await createMoeLayer({
      ...base,
      router: { select: { kind: 'token-choice', k: 4, weights: 'sigmoid' } },
    }).run(backend, params, {}, x)
    for (const { y, load } of runs) {
      expect([...load.data]).toEqual([10, 10, 10, 10])
      y.data.forEach((v, i) => expect(v).toBeCloseTo(alone.y.data[i] as number, 5))
    }
    const train = async (together: boolean) => {
      const trainer = await layer.trainer(backend, params, state, { optimizer: adam({ lr: 1e-2 }) })
      const step = async () => (await trainer.step({ x, targets: x })).loss()
      const losses = together ? await Promise.all([step(), step()]) : [await step(), await step()]
      await trainer.dispose()
      return losses
    }
    expect(await train(true)).toEqual(await train(false))
  })

  it('refuses what does not fit', async () => {
    const backend = await referenceBackend()
    const layer = createMoeLayer(base)
    const [params, x] = [layer.init({ seed: 3 }), wave32([2, 5, 4])]
    const run = (p = params, s: object = {}, t: Tensor = x, o = {}) =>
      codeOf(() => layer.run(backend, p, s as never, t, o))
    expect(await run({})).toBe('FEP_BAD_PARAMS')
    expect(await run(params, { cutoff: x })).toBe('FEP_BAD_FEED')
    expect(await run(params, {}, wave32([2, 5, 3]))).toBe('FEP_BAD_FEED')
    expect(await run(params, {}, wave32([2, 0, 4]))).toBe('FEP_BAD_FEED')
    expect(await run(params, {}, x, { uniform: x })).toBe('FEP_BAD_FEED')
    expect(await codeOf(() => layer.stream(backend, params, {}, { batch: 0 }))).toBe('FEP_BAD_ARGUMENT')
    const few = createMoeLayer({ ...base, router: { select: { kind: 'expert-choice', expansion: 64 } } })
    const start = few.init({ seed: 1 })
    expect(await codeOf(() => few.run(backend, start, few.initialState(), x))).toBe('FEP_TOO_FEW_TOKENS')
  })

  it('learns, prototypes of cosines included', async () => {
    const backend = await referenceBackend()
    const layer = createMoeLayer({ ...base, router: { select: { kind: 'cosine-threshold', decay: 0.9 } } })
    const start = layer.init({ seed: 5 })
    const trainer = await layer.trainer(backend, start, layer.initialState(), {
      optimizer: adam({ lr: 1e-2 }),
    })
    const x = wave32([4, 8, 4])
    const targets = { ...x, data: x.data.map((v) => v * v) as Float32Array }
    const losses: number[] = []
    for (let i = 0; i < 40; i++) losses.push(await (await trainer.step({ x, targets })).loss())
    expect(losses.at(-1)).toBeLessThan(0.5 * (losses[0] as number))
    const name = 'router.expert_prototypes'
    expect((await trainer.params())[name]?.data).not.toEqual(start[name]?.data)
    expect((await trainer.state()).steps?.data[0]).toBe(40)
    await trainer.dispose()
  })
})

describe('precision in a sparse layer', () => {
  /** Updates until an expert that was bad, and is good again, has at least `share` of the tokens; −1: never. */
  async function updatesUntilBack(relaxation: number | undefined, most: number): Promise<number> {
    const backend = await referenceBackend()
    const [experts, dim] = [4, 4]
    const router = {
      precision: { kind: 'evidence' },
      select: { kind: 'token-choice', k: 1, normalize: false },
    } as const
    const layer = createMoeLayer({
      dim,
      experts,
      router,
      expert: { width: 4, activation: 'relu' },
      residual: false,
    })
    // A router of small logits: who gets a token is for precision to say.
    const params = layer.init({ seed: 11 })
    for (const t of [params['router.W.weight'], params['router.W.bias']] as Tensor[])
      t.data.forEach((w, i) => {
        t.data[i] = 0.3 * w
      })
    const tracker = precisionTracker({
      experts,
      initialVariance: 0.5,
      ...(relaxation === undefined ? {} : { relaxation }),
    })
    const draw = random(12, 'tokens')
    let state = tracker.init()
    const routed = async () => {
      const x = tensor(new Float32Array(64 * dim), [1, 64, dim])
      draw.fillNormal(x.data as Float32Array)
      return Array.from((await layer.run(backend, params, {}, x, { precision: state })).load.data)
    }
    const errors = (bad: number) => Array.from({ length: experts }, (_, e) => (e === 0 ? bad : 0.5))
    for (let i = 0; i < 60; i++) state = tracker.update(state, errors(50), await routed())
    expect((await routed())[0]).toBe(0)
    for (let i = 1; i <= most; i++) {
      const load = await routed()
      if ((load[0] as number) >= 8) return i
      state = tracker.update(state, errors(0.5), load)
    }
    return -1
  }

  it('gives an expert that recovered its share back, within 100 updates', async () => {
    const updates = await updatesUntilBack(undefined, 100)
    expect(updates).toBeGreaterThan(1)
  })

  it('never does without relaxation', async () => {
    expect(await updatesUntilBack(0, 300)).toBe(-1)
  })

  it('relaxes the variances of those that did not run, and of no other', () => {
    const tracker = precisionTracker({ experts: 3, momentum: 0.5, initialVariance: 2, relaxation: 0.25 })
    const { variance } = tracker.update({ variance: [4, 4, 4] }, [1, Number.NaN, 0], [3, 0, 1])
    expect(variance).toEqual([2.5, 3.5, 2])
    expect(
      precisionTracker({ experts: 3 }).update({ variance: [4, 1, 1] }, [0, 0, 0], [0, 1, 1]).variance[0],
    ).toBeCloseTo(3.85)
  })

  it('refuses another number of experts, and a rate out of range', async () => {
    const tracker = precisionTracker({ experts: 3 })
    expect(await codeOf(() => tracker.update(tracker.init(), [0, 0, 0], [1]))).toBe('FEP_BAD_ARGUMENT')
    expect(await codeOf(() => precisionTracker({ experts: 3, relaxation: 1.5 }))).toBe('FEP_BAD_CONFIG')
  })
})
