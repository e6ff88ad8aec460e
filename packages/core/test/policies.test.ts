/** Policies: what is accepted, what is refused with which code, cutoffs on the host, and what has a gradient. */
import { describe, expect, it } from 'vitest'
import {
  adam,
  createGate,
  GraphBuilder,
  gradients,
  ops,
  referenceBackend,
  type Tensor,
  tensor,
} from '../src/index.js'
import {
  adapt,
  calibrate,
  cosineScores,
  createSparseGate,
  cutoffsOf,
  decide,
  hashTable,
  initialPolicyState,
  type PolicyConfig,
  promisesOf,
  requireTokensPerExpert,
  resolvePolicy,
  sparseLossGraph,
  starving,
  targetShare,
  tokensPerExpert,
  updateIdle,
  withCutoffs,
} from '../src/policies/index.js'
import { codeOf, evaluate, subsets, wave, wave32 } from './helpers.js'

const bits = (values: readonly number[], shape: readonly number[]): Tensor => ({
  dtype: 'bool',
  shape,
  data: Uint8Array.from(values),
})

describe('a configuration', () => {
  it.each<[PolicyConfig, object]>([
    [
      { kind: 'threshold' },
      {
        granularity: 2,
        expansion: 8,
        sharedExpert: false,
        weights: 'sigmoid',
        divideByFanout: false,
        decay: 0.999,
        averageFrom: 0,
        comparison: '>=',
        warmUp: 0,
        capacity: 0.5,
        reviveAfter: null,
      },
    ],
    [
      { kind: 'expert-choice', granularity: 4 },
      { expansion: 4, pool: null, decay: 0.999 },
    ],
    [{ kind: 'cosine-threshold' }, { comparison: '>', weights: 'sigmoid', decay: 0.999 }],
    [
      { kind: 'token-choice', k: 2 },
      {
        weights: 'softmax',
        normalize: true,
        anchor: false,
        balance: 0,
        zLoss: 0,
        biasRate: 0,
        capacity: null,
      },
    ],
    [{ kind: 'token-choice', k: 2, weights: 'sigmoid' }, { normalize: false }],
    [{ kind: 'token-choice', k: 1, noise: { kind: 'normal' } }, { noise: { kind: 'normal', std: 1 / 16 } }],
    [
      { kind: 'token-choice', k: 1, capacity: { factor: 1.25 } },
      { capacity: { factor: 1.25, minimum: 1, keep: 'score' } },
    ],
    [{ kind: 'hash', k: 1, vocabulary: 9 }, { seed: 0 }],
  ])('%j has its defaults', (config, defaults) => {
    expect(resolvePolicy(config, 16)).toMatchObject({ ...config, ...defaults, experts: 16 })
  })

  it.each<unknown>([
    undefined,
    null,
    {},
    { kind: 'dense' },
    { kind: 'threshold', k: 2 },
    { kind: 'threshold', decay: 1 },
    { kind: 'threshold', capacity: -1 },
    { kind: 'threshold', warmUp: 1.5 },
    { kind: 'threshold', granularity: 3 },
    { kind: 'threshold', granularity: 1, sharedExpert: true },
    { kind: 'threshold', reviveAfter: 0 },
    { kind: 'threshold', comparison: '<' },
    { kind: 'threshold', weights: 'softmax' },
    { kind: 'expert-choice', pool: 0 },
    { kind: 'token-choice' },
    { kind: 'token-choice', k: 17 },
    { kind: 'token-choice', k: 1, anchor: true, weights: 'sigmoid' },
    { kind: 'token-choice', k: 1, noise: { kind: 'learned', std: 1 } },
    { kind: 'token-choice', k: 1, capacity: { factor: 0 } },
    { kind: 'random', k: 0 },
    { kind: 'hash', k: 1 },
  ])('%j is refused', async (config) => {
    expect(await codeOf(() => resolvePolicy(config, 16))).toBe('FEP_BAD_CONFIG')
  })

  it('survives JSON', () => {
    const policy = resolvePolicy({ kind: 'threshold', sharedExpert: true }, 16)
    expect(JSON.parse(JSON.stringify(policy))).toEqual(policy)
  })

  it('of a gate with another selection stays what it was', async () => {
    expect(
      await codeOf(() => createGate({ dim: 2, experts: 4, select: { kind: 'threshold' } as never })),
    ).toBe('FEP_BAD_CONFIG')
    for (const extra of [{ memory: { kind: 'leaky' } }, { precision: { kind: 'gain' } }] as const)
      expect(
        await codeOf(() =>
          createSparseGate({ dim: 2, experts: 4, select: { kind: 'cosine-threshold' }, ...extra }),
        ),
      ).toBe('FEP_BAD_CONFIG')
  })
})

describe('the share of an expert', () => {
  it.each([
    [2, 8, false, 4096, 512],
    [2, 8, true, 4096, 256],
    [2, 8, false, 15, 1],
    [4, 3, true, 100, 25],
    [1, 1, false, 7, 7],
  ])('G %i, X %i, shared %s, N %i: k %i', (granularity, expansion, sharedExpert, tokens, k) => {
    const share = { granularity, expansion, sharedExpert }
    expect(tokensPerExpert(share, tokens)).toBe(k)
    expect(Math.floor(targetShare(share) * tokens)).toBe(k)
  })

  it('of too few tokens is an error, wherever it is found', async () => {
    const share = { granularity: 2, expansion: 8, sharedExpert: true }
    expect(await codeOf(() => requireTokensPerExpert(share, 15))).toBe('FEP_TOO_FEW_TOKENS')
    expect(requireTokensPerExpert(share, 16)).toBe(1)
    const backend = await referenceBackend()
    for (const kind of ['threshold', 'expert-choice'] as const) {
      const gate = createSparseGate({ dim: 2, experts: 4, select: { kind, granularity: 1, expansion: 4 } })
      const [params, state] = [gate.init({ seed: 1 }), gate.initialState()]
      const codes = [
        () => gate.graph({ steps: 3, batch: 1, training: true }),
        () => adapt(gate.policy, state, wave32([3, 4])),
        () => adapt(gate.policy, state, wave32([5, 4]), { valid: bits([1, 1, 1, 0, 0], [5]) }),
      ]
      for (const body of codes) expect(await codeOf(body)).toBe('FEP_TOO_FEW_TOKENS')
      const trainer = await gate.trainer(backend, params, state, { optimizer: adam({ lr: 1e-3 }) })
      const x = wave32([2, 3, 2])
      const targets = tensor(new Int32Array(6), [2, 3])
      const valid = bits([1, 1, 0, 1, 0, 0], [2, 3])
      expect(await codeOf(() => trainer.step({ x, targets, valid }))).toBe('FEP_TOO_FEW_TOKENS')
      await trainer.dispose()
      if (kind === 'threshold') continue
      expect(await codeOf(() => gate.route(backend, params, state, wave32([1, 3, 2])))).toBe(
        'FEP_TOO_FEW_TOKENS',
      )
      expect(await codeOf(() => gate.route(backend, params, state, x, { valid }))).toBe('FEP_TOO_FEW_TOKENS')
      expect(
        await codeOf(() => gate.route(backend, params, state, x, { valid: bits([1, 1, 1], [1, 3]) })),
      ).toBe('FEP_BAD_FEED')
    }
  })
})

describe('a gate with a policy', () => {
  const select = { kind: 'threshold', granularity: 1, expansion: 2 } as const

  it.each(subsets.map((config) => [Object.keys(config).join('+') || 'affinity', config] as const))(
    '%s: composes with what makes the logits',
    async (_name, config) => {
      const backend = await referenceBackend()
      const gate = createSparseGate({ dim: 3, experts: 4, ...config, select } as never)
      const plain = createGate({ dim: 3, experts: 4, ...config } as never)
      const params = gate.init({ seed: 3 })
      const x = wave32([2, 5, 3])
      const routed = await gate.route(backend, params, gate.initialState(), x)
      const dense = await plain.route(backend, params, x)
      expect(routed.logits.data).toEqual(dense.logits.data)
      expect('next' in routed).toBe('next' in dense)
      routed.logits.data.forEach((z: number, i: number) => {
        expect(routed.mask.data[i]).toBe(z >= 0 ? 1 : 0)
      })
    },
  )

  it('says what it cannot do', async () => {
    const backend = await referenceBackend()
    const gate = createSparseGate({ dim: 3, experts: 4, select })
    const [params, state, x] = [gate.init({ seed: 3 }), gate.initialState(), wave32([2, 4, 3])]
    const { cutoff: _, ...incomplete } = state
    const pooled = createSparseGate({ dim: 3, experts: 4, select: { kind: 'expert-choice', pool: 2 } })
    const random = createSparseGate({ dim: 3, experts: 4, select: { kind: 'random', k: 1 } })
    const hash = createSparseGate({ dim: 3, experts: 4, select: { kind: 'hash', k: 1, vocabulary: 9 } })
    const ids = (row: readonly number[]) => tensor(Int32Array.of(...row, ...row), [2, 4])
    const cosine = createSparseGate({ dim: 3, experts: 4, select: { kind: 'cosine-threshold' } })
    const across = createSparseGate({ dim: 3, experts: 4, select: { ...select, weights: 'softmax-tokens' } })
    const optimizer = adam({ lr: 1e-3 })
    const cases: readonly [string, () => unknown][] = [
      ['FEP_BAD_FEED', () => gate.route(backend, params, incomplete, x)],
      ['FEP_BAD_FEED', () => gate.route(backend, params, { ...state, bias: wave32([4]) }, x)],
      ['FEP_BAD_FEED', () => gate.route(backend, params, state, x, { uniform: wave32([2, 4, 4]) })],
      ['FEP_BAD_FEED', () => random.route(backend, random.init({ seed: 1 }), {}, x)],
      ['FEP_BAD_FEED', () => hash.route(backend, hash.init({ seed: 1 }), {}, x, { ids: ids([0, 1, 2, 9]) })],
      ['FEP_BAD_FEED', () => pooled.graph({ steps: 4, batch: 3 })],
      ['FEP_BAD_GRAPH', () => gate.graph({ steps: 4, training: true })],
      ['FEP_UNSUPPORTED', () => pooled.stream(backend, pooled.init({ seed: 1 }), pooled.initialState())],
      ['FEP_UNSUPPORTED', () => across.stream(backend, params, state)],
      ['FEP_UNSUPPORTED', () => random.stream(backend, random.init({ seed: 1 }), {})],
      [
        'FEP_UNSUPPORTED',
        () => cosine.trainer(backend, cosine.init({ seed: 1 }), cosine.initialState(), { optimizer }),
      ],
      [
        'FEP_UNSUPPORTED',
        () =>
          gate.trainer(backend, params, state, { optimizer, loss: { kind: 'cross-entropy', time: 'last' } }),
      ],
    ]
    for (const [code, body] of cases) expect(await codeOf(body), String(body)).toBe(code)
  })

  it('promises what its policy can hold', () => {
    const promises = (config: PolicyConfig) => promisesOf(resolvePolicy(config, 4))
    expect(promises({ kind: 'threshold' })).toMatchObject({
      causal: true,
      batchInvariant: true,
      bound: false,
    })
    expect(promises({ kind: 'expert-choice' })).toMatchObject({ causal: false, batchInvariant: false })
    expect(promises({ kind: 'expert-choice', pool: 1 })).toMatchObject({
      causal: false,
      batchInvariant: true,
    })
    expect(promises({ kind: 'threshold', weights: 'softmax-tokens' })).toMatchObject({ causal: false })
    expect(promises({ kind: 'token-choice', k: 1 })).toMatchObject({ causal: true, boundInTraining: false })
  })

  it('averages once per update, however many micro-batches', async () => {
    const backend = await referenceBackend({ precision: 'float64' })
    const gate = createSparseGate({ dim: 3, experts: 4, select: { ...select, decay: 0.5 } })
    const batch = (phase: number) => ({
      x: wave32([2, 4, 3], phase),
      targets: tensor(
        Int32Array.from({ length: 8 }, (_, i) => i % 4),
        [2, 4],
      ),
    })
    const trainer = await gate.trainer(backend, gate.init({ seed: 5 }), gate.initialState(), {
      optimizer: adam({ lr: 0 }),
    })
    await trainer.accumulate(batch(1))
    const first = (await trainer.state()).total?.data as Float64Array
    await trainer.accumulate(batch(2))
    const both = await trainer.state()
    expect(both.count?.data[0]).toBe(2)
    expect(both.cutoff?.data.every((c: number) => c === 0)).toBe(true)
    await trainer.apply()
    const after = await trainer.state()
    expect([after.count?.data[0], after.steps?.data[0], after.correction?.data[0]]).toEqual([0, 1, 0.5])
    const mean = Array.from(both.total?.data ?? [], (t) => (t as number) / 2)
    cutoffsOf(gate.policy, after).forEach((c, e) => {
      expect(c).toBeCloseTo(mean[e] as number, 12)
    })
    expect(first.some((t, e) => t !== mean[e])).toBe(true)
    await trainer.dispose()
  })
})

describe('gradients', () => {
  const lossOf = (config: PolicyConfig) => {
    const policy = resolvePolicy(config, 3)
    const builder = new GraphBuilder('weights')
    const logits = builder.input('logits', 'float32', [3, 4])
    const state = Object.fromEntries(
      Object.entries(initialPolicyState(policy)).map(([name, t]) => [
        name,
        builder.constant([...t.data], t.shape),
      ]),
    )
    const { weights } = decide(policy, { logits, steps: 2, state })
    builder.output('loss', ops.sum(ops.mul(weights, weights)))
    return evaluate(gradients(builder.build(), { of: 'loss', wrt: ['logits'] }), { logits: wave([3, 4]) })
  }

  it('reach scores through weights, never through the selection', () => {
    const { 'grad/logits': g } = lossOf({ kind: 'threshold', granularity: 1, expansion: 1 })
    const z = wave([3, 4]).data
    g?.data.forEach((got, i) => {
      const s = 1 / (1 + Math.exp(-(z[i] as number)))
      expect(got).toBeCloseTo((z[i] as number) >= 0 ? 2 * s * s * (1 - s) : 0, 12)
    })
  })

  it('reach prototypes unless the output is binary', () => {
    const of = (weights: 'sigmoid' | 'binary') =>
      [...(lossOf({ kind: 'cosine-threshold', weights })['grad/logits']?.data ?? [])].some((g) => g !== 0)
    expect([of('sigmoid'), of('binary')]).toEqual([true, false])
  })

  it('stay finite where a token is zero', () => {
    const builder = new GraphBuilder('cosines')
    const x = builder.input('x', 'float32', [3, 2])
    const prototypes = builder.input('prototypes', 'float32', [2, 3])
    const scores = cosineScores(x, prototypes)
    builder.output('scores', scores)
    builder.output('loss', ops.sum(ops.exp(scores)))
    const graph = gradients(builder.build(), { of: 'loss', wrt: ['x', 'prototypes'] })
    const found = evaluate(graph, { x: tensor(new Float32Array(6), [3, 2]), prototypes: wave([2, 3]) })
    expect([...(found.scores?.data ?? [])]).toEqual([0, 0, 0, 0])
    for (const name of ['grad/x', 'grad/prototypes'])
      expect([...(found[name]?.data ?? [Number.NaN])].every(Number.isFinite)).toBe(true)
  })

  it('of router losses do not depend on any other flag', () => {
    const model = {
      gate: createGate({ dim: 2, experts: 3 }).config,
      policy: resolvePolicy({ kind: 'token-choice', k: 1, zLoss: 1 }, 3),
    }
    const graph = sparseLossGraph(model, {
      steps: 2,
      loss: {
        kind: 'cross-entropy',
        on: 'logits',
        time: 'mean',
        predictionTime: 'mean',
        predictionWeight: 0,
        lastStep: 'keep',
      },
    })
    expect(graph.inputs.some((name) => name.startsWith('policy/'))).toBe(false)
    expect(graph.outputs.map((o) => o.name)).toEqual(['loss', 'logits', 'load'])
  })
})

describe('cutoffs on the host', () => {
  const policy = resolvePolicy({ kind: 'threshold', granularity: 1, expansion: 2, decay: 0.75 }, 2)
  const logits = tensor([
    [1, 8],
    [2, 7],
    [3, 6],
    [4, 5],
  ])

  it('are calibrated to the load that is asked for', async () => {
    expect(calibrate(logits, 0.5)).toEqual([2.5, 6.5])
    expect(calibrate(logits, [0.25, 1])).toEqual([3.25, 5])
    expect(calibrate(logits, 0.5, { valid: bits([1, 1, 0, 0], [4]) })).toEqual([1.5, 7.5])
    for (const load of [0, 1.5, Number.NaN, [0.5]])
      expect(await codeOf(() => calibrate(logits, load))).toBe('FEP_BAD_ARGUMENT')
    expect(await codeOf(() => calibrate(logits, 0.5, { valid: bits([0, 0, 0, 0], [4]) }))).toBe(
      'FEP_BAD_ARGUMENT',
    )
    expect(await codeOf(() => calibrate(tensor(new Int32Array(4), [2, 2]), 0.5))).toBe('FEP_BAD_FEED')
  })

  it('adapt by one update, and nothing else of the state', async () => {
    const start = initialPolicyState(policy)
    const once = adapt(policy, start, logits)
    expect(cutoffsOf(policy, once)).toEqual([3, 7])
    expect(Array.from(once.cutoff?.data ?? [])).toEqual([0.75, 1.75])
    expect(once.total).toBe(start.total)
    expect(Array.from(start.cutoff?.data ?? [])).toEqual([0, 0])
    const slower = adapt(policy, withCutoffs(policy, start, [0, 0]), logits, { decay: 0.5 })
    expect(cutoffsOf(policy, slower)).toEqual([1.5, 3.5])
    expect(await codeOf(() => adapt(policy, start, logits, { decay: 1 }))).toBe('FEP_BAD_ARGUMENT')
    expect(await codeOf(() => adapt(policy, start, wave32([4, 3])))).toBe('FEP_BAD_FEED')
    expect(await codeOf(() => adapt(resolvePolicy({ kind: 'random', k: 1 }, 2), {}, logits))).toBe(
      'FEP_UNSUPPORTED',
    )
    expect(await codeOf(() => withCutoffs(policy, start, [1]))).toBe('FEP_BAD_ARGUMENT')
  })

  it('of cosines learn nothing from one token', () => {
    const cosine = resolvePolicy({ kind: 'cosine-threshold' }, 2)
    const start = withCutoffs(cosine, initialPolicyState(cosine), [0.25, -0.25])
    expect(adapt(cosine, start, tensor([[0.5, 0.5]]))).toBe(start)
  })

  it('report experts without tokens', () => {
    const idle = updateIdle(updateIdle([0, 0, 0], [3, 0, 0]), [1, 0, 2])
    expect(idle).toEqual([0, 2, 0])
    expect(starving(idle, 2)).toEqual([1])
  })
})

it('a hash table gives every expert equally many ids, and is the same every time', () => {
  const policy = { kind: 'hash', k: 1, vocabulary: 12, seed: 3, experts: 4 } as const
  const table = hashTable(policy)
  expect(hashTable(policy)).toEqual(table)
  for (let e = 0; e < 4; e++) expect(table.filter((x) => x === e).length).toBe(3)
  expect(hashTable({ ...policy, seed: 4 })).not.toEqual(table)
})
