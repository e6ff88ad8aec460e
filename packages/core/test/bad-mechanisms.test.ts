/** Configurations and feeds of the mechanisms and models that must be refused, each with its code and its field. */
import { describe, expect, it } from 'vitest'
import {
  createGate,
  createLanguageModel,
  createMixture,
  type FepError,
  type GateConfig,
  type LanguageModelConfig,
  type MixtureConfig,
  precisionTracker,
  referenceBackend,
  sgd,
  tensor,
  zeros,
} from '../src/index.js'
import { resolveLoss } from '../src/training/index.js'
import { codeOf } from './helpers.js'

const size = { dim: 4, experts: 2 }
const membrane = { kind: 'membrane' } as const
const at = (path: string) =>
  expect.objectContaining({
    code: 'FEP_BAD_CONFIG',
    message: expect.stringMatching(new RegExp(`^${path.replaceAll('.', '\\.')} `)),
  }) as FepError

describe('gate configurations', () => {
  const bad: [string, object, string][] = [
    ['a memory of no kind', { memory: { kind: 'lstm' } }, 'gate.memory.kind'],
    [
      'betas per dimension for a membrane',
      { memory: { ...membrane, beta: [0.1, 0.2, 0.3] } },
      'gate.memory.beta',
    ],
    ['beta and tau of a membrane', { memory: { ...membrane, beta: 0.5, tau: 2 } }, 'gate.memory'],
    ['a threshold of zero', { memory: { ...membrane, threshold: 0 } }, 'gate.memory.threshold'],
    [
      'a threshold that is no number',
      { memory: { ...membrane, threshold: Number.NaN } },
      'gate.memory.threshold',
    ],
    ['an unknown reset', { memory: { ...membrane, reset: 'hard' } }, 'gate.memory.reset'],
    ['an unknown output', { memory: { ...membrane, output: 'current' } }, 'gate.memory.output'],
    ['an unknown surrogate', { memory: { ...membrane, surrogate: 'triangle' } }, 'gate.memory.surrogate'],
    ['a flat surrogate', { memory: { ...membrane, slope: 0 } }, 'gate.memory.slope'],
    ['a threshold of a leaky memory', { memory: { kind: 'leaky', threshold: 1 } }, 'gate.memory.threshold'],
    [
      'a beta of a memory over probabilities',
      { memory: { kind: 'probability', beta: 0.9 } },
      'gate.memory.beta',
    ],
    ['a tau per expert there', { memory: { kind: 'probability', tau: [1, 2] } }, 'gate.memory.tau'],
    ['a tau of zero', { memory: { kind: 'probability', tau: 0 } }, 'gate.memory.tau'],
    ['a learned mean', { memory: { kind: 'mean', learned: true } }, 'gate.memory.learned'],
    [
      'prediction beside a membrane',
      { memory: membrane, anticipation: { kind: 'direct' } },
      'gate.anticipation.kind',
    ],
    [
      'prediction beside a mean',
      { memory: { kind: 'mean' }, anticipation: { kind: 'additive' } },
      'gate.anticipation.kind',
    ],
    [
      'a momentum of a predictor',
      { anticipation: { kind: 'direct', momentum: 0.9 } },
      'gate.anticipation.momentum',
    ],
    [
      'a loss weight of a distribution',
      { anticipation: { kind: 'distribution', lossWeight: 1 } },
      'gate.anticipation.lossWeight',
    ],
    [
      'a momentum of 1',
      { anticipation: { kind: 'distribution', momentum: 1 } },
      'gate.anticipation.momentum',
    ],
    ['selection by spikes without a membrane', { select: { kind: 'spike' } }, 'gate.select.kind'],
    [
      'selection by spikes with anticipation',
      { memory: membrane, select: { kind: 'spike' }, anticipation: { kind: 'distribution' } },
      'gate.select.kind',
    ],
    ['a number of spikes', { memory: membrane, select: { kind: 'spike', k: 1 } }, 'gate.select.k'],
    ['top-k without k', { select: { kind: 'top-k' } }, 'gate.select'],
    ['k of dense selection', { select: { kind: 'dense', k: 1 } }, 'gate.select.k'],
    ['a scale of zero', { select: { kind: 'top-k', k: 1, scale: 0 } }, 'gate.select.scale'],
    [
      'an unknown scope of precision',
      { precision: { kind: 'gain', scope: 'token' } },
      'gate.precision.scope',
    ],
  ]
  it.each(bad)('refuse %s', (_name, fields, path) => {
    expect(() => createGate({ ...size, ...fields } as GateConfig)).toThrowError(at(path))
  })

  it('a loss has no other reductions', async () => {
    const { config } = createGate(size)
    expect(await codeOf(() => resolveLoss(config, { kind: 'mse', time: 'first' } as never))).toBe(
      'FEP_BAD_CONFIG',
    )
    expect(await codeOf(() => resolveLoss(config, { kind: 'mse', predictionTime: 'last' } as never))).toBe(
      'FEP_BAD_CONFIG',
    )
  })
})

describe('models', () => {
  const direct = { anticipation: { kind: 'direct' } } as const
  const bad: [string, () => unknown, string][] = [
    ['no width', () => createMixture({ experts: 2 } as MixtureConfig), 'mixture.dim'],
    ['experts of no width', () => createMixture({ ...size, expert: { width: 0 } }), 'mixture.expert.width'],
    [
      'an unknown activation',
      () => createMixture({ ...size, expert: { activation: 'tanh' } } as never),
      'mixture.expert.activation',
    ],
    [
      'a bad gate',
      () => createMixture({ ...size, router: { memory: { kind: 'leaky', beta: 2 } } }),
      'gate.memory.beta',
    ],
    [
      'decisions about the next token',
      () => createMixture({ ...size, router: direct }),
      'mixture.router.anticipation.kind',
    ],
    [
      'no vocabulary',
      () => createLanguageModel({ ...size } as LanguageModelConfig),
      'languageModel.vocabulary',
    ],
    [
      'an unknown form',
      () => createLanguageModel({ ...size, vocabulary: 5, form: 'fast' } as never),
      'languageModel.form',
    ],
    [
      'an epsilon of zero',
      () => createLanguageModel({ ...size, vocabulary: 5, epsilon: 0 }),
      'languageModel.epsilon',
    ],
    [
      'outputs of experts',
      () => createLanguageModel({ ...size, vocabulary: 5, expert: { outputs: 3 } } as never),
      'languageModel.expert.outputs',
    ],
    [
      'a language model that dispatches ahead unasked',
      () => createLanguageModel({ ...size, vocabulary: 5, router: direct }),
      'languageModel.router.anticipation.kind',
    ],
    [
      'an unknown divisor',
      () =>
        createLanguageModel({ ...size, vocabulary: 5 }).lossGraph({ steps: 2 }, {
          divideBy: 'batch',
        } as never),
      'loss.divideBy',
    ],
  ]
  it.each(bad)('refuse %s', (_name, make, path) => {
    expect(make).toThrowError(at(path))
  })

  it('refuse feeds that do not fit', async () => {
    const backend = await referenceBackend()
    const model = createLanguageModel({ ...size, vocabulary: 5 })
    const params = model.init({ seed: 1 })
    const ids = (values: number[]) => tensor(Int32Array.from(values), [1, values.length])
    expect(await codeOf(() => model.run(backend, params, ids([0, 5])))).toBe('FEP_BAD_FEED')
    expect(await codeOf(() => model.run(backend, params, ids([-1])))).toBe('FEP_BAD_FEED')
    expect(await codeOf(() => model.run(backend, params, zeros([1, 2])))).toBe('FEP_BAD_FEED')
    expect(await codeOf(() => model.evaluate(backend, params, { x: ids([1]), y: ids([9]) }))).toBe(
      'FEP_BAD_FEED',
    )
    expect(await codeOf(() => model.run(backend, {}, ids([1])))).toBe('FEP_BAD_PARAMS')
    const stream = await model.stream(backend, params)
    expect(await codeOf(() => stream.step(tensor(Int32Array.of(7))))).toBe('FEP_BAD_FEED')
    expect(await codeOf(() => stream.step(tensor(Int32Array.of(1, 2))))).toBe('FEP_BAD_FEED')
    const layer = createMixture(size)
    const weights = layer.init({ seed: 1 })
    expect(await codeOf(() => layer.run(backend, weights, zeros([1, 2, 3])))).toBe('FEP_BAD_FEED')
    const noise = zeros([1, 2, 2, 3])
    expect(await codeOf(() => layer.run(backend, weights, zeros([1, 2, 4]), { noise }))).toBe('FEP_BAD_FEED')
    expect(await codeOf(() => layer.run(backend, weights, zeros([1, 2, 4]), { precision: zeros([2]) }))).toBe(
      'FEP_UNSUPPORTED',
    )
    expect(
      await codeOf(() =>
        layer.trainer(backend, weights, { optimizer: sgd({ lr: 1 }), time: 'last' } as never),
      ),
    ).toBe('FEP_BAD_CONFIG')
    expect(
      await codeOf(() =>
        layer.trainer(backend, weights, { optimizer: sgd({ lr: 1 }), schedule: 0.1 } as never),
      ),
    ).toBe('FEP_BAD_CONFIG')
  })

  it('refuse a precision of another number of sequences', async () => {
    const backend = await referenceBackend()
    const gate = createGate({ ...size, precision: { kind: 'evidence', scope: 'sequence' } })
    const params = gate.init({ seed: 1 })
    const precision = precisionTracker({ experts: 2, rows: 3 }).init()
    const route = (p: typeof precision) => gate.route(backend, params, zeros([2, 2, 4]), { precision: p })
    expect(await codeOf(() => route(precision))).toBe('FEP_BAD_FEED')
    expect(await codeOf(() => gate.route(backend, params, zeros([2, 2, 4]), { precision: zeros([2]) }))).toBe(
      'FEP_BAD_FEED',
    )
    expect(await codeOf(() => precisionTracker({ experts: 2, rows: 0 }))).toBe('FEP_BAD_CONFIG')
    expect(await codeOf(() => precisionTracker({ experts: 2, rows: 2 }).update(precision, [1, 2]))).toBe(
      'FEP_BAD_ARGUMENT',
    )
  })
})
