import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createGate,
  type FepError,
  type GateConfig,
  type PresetName,
  precisionTracker,
  preset,
  presets,
  resolveGateConfig,
} from '../src/index.js'
import { codeOf } from './helpers.js'

describe('gate configuration', () => {
  const bad: [string, unknown, string][] = [
    ['no object', 3, 'gate'],
    ['a missing field', { dim: 4 }, 'gate.experts'],
    ['zero width', { dim: 0, experts: 2 }, 'gate.dim'],
    ['a fractional number of experts', { dim: 4, experts: 2.5 }, 'gate.experts'],
    ['text for a number', { dim: '4', experts: 2 }, 'gate.dim'],
    ['an unknown key', { dim: 4, experts: 2, memroy: {} }, 'gate.memroy'],
    [
      'an unknown nested key',
      { dim: 4, experts: 2, memory: { kind: 'leaky', decay: 1 } },
      'gate.memory.decay',
    ],
    ['a decay of 1', { dim: 4, experts: 2, memory: { kind: 'leaky', beta: 1 } }, 'gate.memory.beta'],
    [
      'decays for other dimensions',
      { dim: 4, experts: 2, memory: { kind: 'leaky', beta: [0.1, 0.2] } },
      'gate.memory.beta',
    ],
    [
      'a learned tau whose decay is 0 in float32',
      { dim: 4, experts: 2, memory: { kind: 'leaky', tau: 0.005, learned: true } },
      'gate.memory.tau',
    ],
    [
      'a learned tau whose decay is 1 in float32',
      { dim: 4, experts: 2, memory: { kind: 'leaky', tau: 1e9, learned: true } },
      'gate.memory.tau',
    ],
    [
      'a beta that is 1 in float32',
      { dim: 4, experts: 2, memory: { kind: 'leaky', beta: 1 - 2 ** -30 } },
      'gate.memory.beta',
    ],
    ['beta and tau', { dim: 4, experts: 2, memory: { kind: 'leaky', beta: 0.5, tau: 2 } }, 'gate.memory'],
    [
      'a negative time constant',
      { dim: 4, experts: 2, memory: { kind: 'leaky', tau: -1 } },
      'gate.memory.tau',
    ],
    ['an unknown mechanism', { dim: 4, experts: 2, precision: { kind: 'loss' } }, 'gate.precision.kind'],
    [
      'momentum 1',
      { dim: 4, experts: 2, precision: { kind: 'gain', momentum: 1 } },
      'gate.precision.momentum',
    ],
    [
      'depth 0',
      { dim: 4, experts: 2, anticipation: { kind: 'direct', depth: 0 } },
      'gate.anticipation.depth',
    ],
    [
      'an unknown activation',
      { dim: 4, experts: 2, anticipation: { kind: 'direct', activation: 'tanh' } },
      'gate.anticipation.activation',
    ],
    ['k above the experts', { dim: 4, experts: 2, select: { kind: 'top-k', k: 3 } }, 'gate.select.k'],
    ['an unknown selection', { dim: 4, experts: 2, select: { kind: 'best' } }, 'gate.select.kind'],
    [
      'an oracle with memory',
      { dim: 4, experts: 2, router: 'oracle', memory: { kind: 'leaky' } },
      'gate.memory',
    ],
  ]
  it.each(bad)('refuses %s and names the field', async (_name, config, path) => {
    expect(await codeOf(() => createGate(config as GateConfig))).toBe('FEP_BAD_CONFIG')
    expect(() => createGate(config as GateConfig)).toThrowError(
      expect.objectContaining({
        message: expect.stringMatching(new RegExp(`^${path.replaceAll('.', '\\.')} `)),
      }) as FepError,
    )
  })

  it('fills in defaults that survive JSON', () => {
    for (const name of Object.keys(presets) as PresetName[]) {
      const resolved = resolveGateConfig(preset(name, { dim: 16, experts: 4 }))
      expect(JSON.parse(JSON.stringify(resolved))).toEqual(resolved)
    }
    expect(resolveGateConfig(preset('paper-a/full', { dim: 16, experts: 4 }))).toMatchObject({
      anticipation: { kind: 'direct', width: 64, depth: 1, activation: 'relu', lossWeight: 0.5 },
      precision: { kind: 'gain', momentum: 0.95, epsilon: 1e-4, initialVariance: 0.5 },
      select: { kind: 'dense' },
    })
    expect(resolveGateConfig({ dim: 2, experts: 2, memory: { kind: 'leaky', tau: 2 } }).memory).toEqual({
      kind: 'leaky',
      beta: [Math.exp(-0.5), Math.exp(-0.5)],
      learned: false,
    })
  })

  it('names parameters as PyTorch does', () => {
    const names = (config: GateConfig) =>
      createGate(config).params.map((p) => `${p.name} ${p.shape.join('x')}`)
    expect(names(preset('paper-a/additive', { dim: 4, experts: 3 }))).toEqual([
      'beta_raw 4',
      'W.weight 3x4',
      'W.bias 3',
      'W_pred.weight 3x4',
      'predictor.0.weight 16x8',
      'predictor.0.bias 16',
      'predictor.2.weight 4x16',
      'predictor.2.bias 4',
    ])
    expect(
      names({
        dim: 4,
        experts: 3,
        bias: false,
        anticipation: { kind: 'direct', width: 5, depth: 2, rank: 2 },
      }),
    ).toEqual([
      'W.weight 3x4',
      'predictor.0.0.weight 2x4',
      'predictor.0.1.weight 5x2',
      'predictor.0.1.bias 5',
      'predictor.2.0.weight 2x5',
      'predictor.2.1.weight 5x2',
      'predictor.2.1.bias 5',
      'predictor.4.0.weight 2x5',
      'predictor.4.1.weight 4x2',
      'predictor.4.1.bias 4',
    ])
  })
})

describe('initialization', () => {
  const gate = createGate(preset('paper-a/full', { dim: 16, experts: 4 }))

  it('is PyTorch’s by default: uniform in ±1/√fan_in, β at its logit', () => {
    const params = gate.init({ seed: 1 })
    expect(params.beta_raw?.data[0]).toBeCloseTo(Math.log(9), 6)
    for (const { name, fanIn, kind } of gate.params) {
      if (kind === 'values') continue
      const bound = 1 / Math.sqrt(fanIn)
      const data = [...(params[name]?.data ?? [])]
      expect(Math.max(...data.map(Math.abs))).toBeLessThanOrEqual(bound)
      if (data.length > 100)
        expect(data.reduce((n, x) => n + x * x, 0) / data.length / (bound ** 2 / 3)).toBeCloseTo(1, 0)
    }
  })

  it('depends on seed and name alone', () => {
    expect(gate.init({ seed: 7 })).toEqual(gate.init({ seed: 7 }))
    expect(gate.init({ seed: 7 })['W.weight']).not.toEqual(gate.init({ seed: 8 })['W.weight'])
    const affinity = createGate({ dim: 16, experts: 4 })
    expect(affinity.init({ seed: 7 })['W.weight']).toEqual(gate.init({ seed: 7 })['W.weight'])
  })

  it('offers xavier and zeros, whole or per parameter', async () => {
    const xavier = gate.init({ seed: 1, scheme: 'xavier' })
    expect([...(xavier['W.bias']?.data ?? [])]).toEqual([0, 0, 0, 0])
    expect(Math.max(...[...(xavier['W.weight']?.data ?? [])].map(Math.abs))).toBeGreaterThan(0.25)
    expect(gate.init({ seed: 1, scheme: 'zeros' }).beta_raw?.data[0]).toBeCloseTo(Math.log(9), 6)
    const mixed = gate.init({ seed: 1, scheme: { 'W.weight': 'zeros', beta_raw: 'zeros' } })
    expect([mixed['W.weight']?.data[0], mixed.beta_raw?.data[0]]).toEqual([0, 0])
    expect(mixed['predictor.0.weight']).toEqual(gate.init({ seed: 1 })['predictor.0.weight'])
    expect(await codeOf(() => gate.init({ seed: 1, scheme: { nothing: 'zeros' } }))).toBe('FEP_BAD_ARGUMENT')
    expect(await codeOf(() => gate.init({ seed: -1 }))).toBe('FEP_BAD_ARGUMENT')
  })
})

describe('precision tracker', () => {
  it('is pure: an update returns new state and leaves the old one', () => {
    const tracker = precisionTracker({ experts: 2, momentum: 0.5, epsilon: 0.1, initialVariance: 1 })
    const state = Object.freeze({ variance: Object.freeze([...tracker.init().variance]) })
    expect(tracker.update(state, [0, 3])).toEqual({ variance: [0.5, 2] })
    expect(state).toEqual(tracker.init())
    expect(tracker.precision({ variance: [0.4, 0.9] }).data).toEqual(Float32Array.of(2, 1))
  })

  it('keeps variances between the smallest and largest error seen', () => {
    const tracker = precisionTracker({ experts: 1 })
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 10, noNaN: true })), (errors) => {
        const last = errors.reduce((s, e) => tracker.update(s, [e]), tracker.init())
        const seen = [1, ...errors]
        expect(last.variance[0]).toBeLessThanOrEqual(Math.max(...seen) + 1e-9)
        expect(last.variance[0]).toBeGreaterThanOrEqual(Math.min(...seen) - 1e-9)
      }),
    )
  })

  it('refuses errors that are no errors', async () => {
    const tracker = precisionTracker({ experts: 2 })
    for (const errors of [[1], [1, -1], [1, Number.NaN]])
      expect(await codeOf(() => tracker.update(tracker.init(), errors))).toBe('FEP_BAD_ARGUMENT')
    expect(await codeOf(() => precisionTracker({ experts: 0 }))).toBe('FEP_BAD_CONFIG')
  })
})
