/** The belief filter: by hand, against the forward algorithm, at the edge of float32, and learning. */
import { describe, expect, it } from 'vitest'
import {
  createGate,
  type GateConfig,
  gateStates,
  type Params,
  referenceBackend,
  type Tensor,
  tensor,
} from '../src/index.js'
import { codeOf, wave32 } from './helpers.js'

const backend = await referenceBackend({ precision: 'float64' })
const doubles = (values: readonly number[], shape: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float64Array.from(values),
})
const logit = (p: number) => Math.log(p / (1 - p))
const identity = (n: number, own = 50) =>
  doubles(
    Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? own : 0)),
    [n, n],
  )
/** Names the numbers of one filter; gain 1, evidence x itself. */
const given = (
  states: number,
  rest: Readonly<Record<string, Tensor>>,
  prior: readonly number[] = new Array(states).fill(0),
): Params => ({
  'evidence.weight': identity(states, 1),
  'evidence.bias': doubles(new Array(states).fill(0), [states]),
  prior: doubles(prior, [states]),
  readout: identity(states),
  ...rest,
})
const close = (got: Tensor | undefined, want: readonly number[], digits = 9) => {
  expect(got?.data.length).toBe(want.length)
  want.forEach((v, i) => expect(got?.data[i]).toBeCloseTo(v, digits))
}

describe('two states, by hand', () => {
  // One phase each; state 0 is left with probability 1/4, state 1 with 1/2; the first token is 3 times as likely in
  // state 0, the second twice as likely in state 1.
  const config = { dim: 2, experts: 2, belief: { phases: 1, gain: 1 } } as const
  const params = given(2, {
    hazard: doubles([logit(0.25), logit(0.5)], [2, 1]),
    transition: doubles([0, 0, 0, 0], [2, 2]),
  })
  const x = doubles([Math.log(3), 0, 0, Math.log(2)], [1, 2, 2])

  it('filters, expects and is surprised', async () => {
    const found = await createGate(config).route(backend, params, x, { details: true })
    // After the first token (1/2 · 3, 1/2 · 1) / 2 = (3/4, 1/4); expected 3/4 · 3/4 + 1/4 · 1/2 = 11/16 of state 0.
    // After the second (11/16 · 1, 5/16 · 2) = (11, 10) / 16, with normalizer 21/16; expected (11 · 3/4 + 10 / 2) / 21.
    const [second, ahead] = [11 / 21, (11 * 0.75 + 5) / 21]
    close(found.present, [0.75, 0.25, second, 1 - second])
    close(found.weights, [11 / 16, 5 / 16, ahead, 1 - ahead])
    close(found.next, [11 / 16, 5 / 16, ahead, 1 - ahead])
    close(found.belief, [11 / 16, 5 / 16, ahead, 1 - ahead])
    close(found.surprise, [-Math.log(2), -Math.log(21 / 16)])
    expect(found.horizon).toBe(1)
  })

  it('decides for the present at horizon 0, and still expects', async () => {
    const gate = createGate({ ...config, belief: { ...config.belief, horizon: 0 } })
    const found = await gate.route(backend, params, x)
    close(found.weights, [0.75, 0.25, 11 / 21, 10 / 21])
    close(found.next, [11 / 16, 5 / 16, (11 * 0.75 + 5) / 21, (11 * 0.25 + 5) / 21])
    expect(found.horizon).toBe(0)
  })

  it('weighs experts by Π, and evidence where Π is a gain', async () => {
    const precision = tensor([3, 1])
    const evidence = createGate({ ...config, precision: { kind: 'evidence' } })
    const one = doubles([Math.log(3), 0], [1, 1, 2])
    const weighted = await evidence.route(backend, params, one, { precision })
    close(weighted.weights, [33 / 38, 5 / 38])
    // log 3 and 0 are ±½ log 3 about their mean; Π makes them 3/2 log 3 and −½ log 3: odds of 9.
    const gain = createGate({ ...config, precision: { kind: 'gain' } })
    const found = await gain.route(backend, params, one, { precision, details: true })
    close(found.present, [0.9, 0.1])
  })
})

describe('cues, by hand', () => {
  // One phase, never left without a cue. The cue is dimension 2, which is no evidence; it says at the token after it that
  // state 0 is left with odds of 3, and on its own token nothing.
  const gate = createGate({ dim: 3, experts: 2, bias: false, belief: { phases: 1, gain: 1, cues: 2 } })
  const params: Params = {
    'evidence.weight': doubles([1, 0, 0, 0, 1, 0], [2, 3]),
    prior: doubles([50, 0], [2]),
    hazard: doubles([-50, -50], [2, 1]),
    'cue.weight': doubles([0, 0, 0, 0, 0, 50 + Math.log(3), 0, 0, 0, 0, 0, 0], [4, 3]),
    transition: doubles([0, 0, 0, 0], [2, 2]),
    readout: identity(2),
  }
  const x = doubles([0, 0, 1, 0, 0, 0, 0, 0, 0], [1, 3, 3])

  it('leave a step late', async () => {
    close((await gate.route(backend, params, x)).weights, [1, 0, 0.25, 0.75, 0.25, 0.75])
  })

  it('end with a document', async () => {
    const reset = tensor(Uint8Array.of(0, 1, 0), [1, 3], 'bool')
    close((await gate.route(backend, params, x, { reset })).weights, [1, 0, 1, 0, 1, 0])
  })
})

describe('copies of states', () => {
  const { params } = createGate({ dim: 3, experts: 2, belief: { states: 2, copies: 2 } })
  const start = createGate({ dim: 3, experts: 2, belief: { states: 2, copies: 2, gain: 1 } }).init({
    seed: 3,
  })

  it('start with the same evidence and read-out, and lead to each other', () => {
    expect(params.find(({ name }) => name === 'evidence.weight')?.shape).toEqual([4, 3])
    const { 'evidence.weight': weight, 'evidence.bias': bias, readout, prior, transition } = start
    expect(weight?.data.slice(6)).toEqual(weight?.data.slice(0, 6))
    expect(bias?.data.slice(2)).toEqual(bias?.data.slice(0, 2))
    expect(weight?.data[0]).not.toBe(weight?.data[3])
    expect([...(readout as Tensor).data]).toEqual([0.5, 0, 0.5, 0, 0, 0.5, 0, 0.5])
    expect([...(prior as Tensor).data]).toEqual([0, 0, -4, -4])
    expect([...(transition as Tensor).data]).toEqual([0, 0, 4, 4, 0, 0, 4, 4, 4, 4, 0, 0, 4, 4, 0, 0])
  })
})

describe('the forward algorithm', () => {
  /** A hidden Markov model is a filter of one phase: leaving and transitions make its matrix. */
  it('of a hidden Markov model of three states', async () => {
    const stay = [0.7, 0.4, 0.9]
    const to = [
      [0, 0.8, 0.2],
      [0.3, 0, 0.7],
      [0.5, 0.5, 0],
    ]
    const start = [0.2, 0.3, 0.5]
    const symbols = [
      [0.6, 0.3, 0.1],
      [0.2, 0.5, 0.3],
      [0.1, 0.1, 0.8],
    ]
    const seen = [0, 2, 1, 1, 0, 2, 2]
    const log = (rows: readonly (readonly number[])[]) =>
      doubles(
        rows.flat().map((p) => (p > 0 ? Math.log(p) : 0)),
        [3, 3],
      )
    const gate = createGate({ dim: 3, experts: 3, belief: { phases: 1, gain: 1 } })
    const params = given(
      3,
      {
        hazard: doubles(
          stay.map((p) => logit(1 - p)),
          [3, 1],
        ),
        transition: log(to),
      },
      start.map(Math.log),
    )
    const x = doubles(
      seen.flatMap((o) => symbols.map((row) => Math.log(row[o] as number))),
      [1, seen.length, 3],
    )
    const found = await gate.route(backend, params, x, { details: true })
    let belief = start
    const [expected, surprises]: [number[], number[]] = [[], []]
    for (const o of seen) {
      const weighed = belief.map((p, s) => p * (symbols[s]?.[o] as number))
      const total = weighed.reduce((n, p) => n + p, 0)
      belief = belief.map((_, s) =>
        weighed.reduce((n, p, from) => {
          const kept = stay[from] as number
          return n + (p / total) * (from === s ? kept : (1 - kept) * (to[from]?.[s] as number))
        }, 0),
      )
      expected.push(...belief)
      surprises.push(-Math.log(total))
    }
    close(found.weights, expected)
    close(found.surprise, surprises)
  })

  /** Every path of (state, phase), weighed by its probability. */
  it.each(['chain', 'phase-type'] as const)('sums over all paths of a %s', async (duration) => {
    const [S, M, T] = [2, 3, 5]
    const hazard = [0.1, 0.5, 0.8, 0.3, 0.6, 0.2]
    const advance = [0.9, 0.4, 0.5, 0.7, 0.2, 0.5]
    const gate = createGate({ dim: S, experts: S, belief: { phases: M, gain: 1, duration } })
    const params = given(
      S,
      {
        hazard: doubles(hazard.map(logit), [S, M]),
        ...(duration === 'chain' ? {} : { advance: doubles(advance.map(logit), [S, M]) }),
        transition: doubles([0, 0, 0, 0], [S, S]),
      },
      [0.4, 0.6].map(Math.log),
    )
    const x = wave32([1, T, S], 3)
    const evidence = (t: number, s: number) => Math.exp(x.data[t * S + s] as number)
    const moves = (s: number, a: number): [number, number, number][] => {
      const [leave, on] = [
        hazard[s * M + a] as number,
        duration === 'chain' ? 1 : (advance[s * M + a] as number),
      ]
      const stay = 1 - leave
      return a === M - 1
        ? [
            [1 - s, 0, leave],
            [s, a, stay],
          ]
        : [
            [1 - s, 0, leave],
            [s, a + 1, stay * on],
            [s, a, stay * (1 - on)],
          ]
    }
    const mass = Array.from({ length: T }, () => new Array<number>(S).fill(0))
    const walk = (t: number, s: number, a: number, p: number): void => {
      const weighed = p * evidence(t, s)
      for (const [to, phase, move] of moves(s, a)) {
        ;(mass[t] as number[])[to] = (mass[t]?.[to] as number) + weighed * move
        if (t + 1 < T) walk(t + 1, to, phase, weighed * move)
      }
    }
    for (const [s, p] of [0.4, 0.6].entries()) walk(0, s, 0, p)
    const { weights, indices } = await gate.route(backend, params, x)
    close(
      weights,
      mass.flatMap((row) => row.map((p) => p / ((row[0] as number) + (row[1] as number)))),
    )
    expect(indices.shape).toEqual([1, T, 1])
  })
})

const CONFIGS: Readonly<Record<string, GateConfig>> = {
  chain: { dim: 3, experts: 4, belief: { phases: 3 } },
  'one phase': { dim: 3, experts: 4, belief: { phases: 1 } },
  'two phases': { dim: 3, experts: 4, belief: { phases: 2 } },
  'one state': { dim: 3, experts: 4, belief: { states: 1 } },
  'more states than experts': { dim: 3, experts: 2, belief: { states: 5, phases: 4 } },
  'copies with a cue of two tokens': { dim: 3, experts: 2, belief: { copies: 2, phases: 2, cues: 2 } },
  'phase-type with cues': {
    dim: 3,
    experts: 4,
    belief: { phases: 3, duration: 'phase-type', cues: 3, width: 5, horizon: 0 },
    precision: { kind: 'evidence', scope: 'tracked', learned: true },
  },
}

describe.each(Object.entries(CONFIGS))('%s', (_name, config) => {
  const gate = createGate(config)
  const drawn = gate.init({ seed: 5 })
  const feedback = (rows: number, steps: number): { feedback?: Tensor } =>
    config.precision ? { feedback: wave32([rows, steps, config.experts], 4) } : {}

  it('streams exactly, from zeros and after a reset', async () => {
    const x = wave32([2, 5, 3], 1)
    const told = feedback(2, 5)
    const reset = tensor(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 0, 0), [2, 5], 'bool')
    const whole = await gate.route(backend, drawn, x, { reset, ...told })
    const stream = await gate.stream(backend, drawn, { batch: 2 })
    const at = (t: Tensor, step: number): Tensor => {
      const width = t.shape[2] as number
      return tensor(
        Float32Array.from(
          [0, 1].flatMap((b) => [...t.data.slice((b * 5 + step) * width, (b * 5 + step + 1) * width)]),
        ),
        [2, width],
      )
    }
    for (let t = 0; t < 5; t++) {
      if (t === 2) await stream.reset([1])
      const options = told.feedback ? { feedback: at(told.feedback, t) } : {}
      const { weights } = await stream.step(at(x, t), options)
      close(weights, [...at(whole.weights, t).data], 6)
    }
    const state = await stream.snapshot()
    expect(Object.keys(state)).toEqual(gateStates(gate.config).map(({ name }) => name))
    const mass = [...(state.belief as Tensor).data].reduce((n, p) => n + p, 0)
    expect(mass).toBeCloseTo(2, 6)
    stream.dispose()
  })

  it('is finite with extreme tokens and saturated parameters, gradients included', async () => {
    const single = await referenceBackend()
    const x = tensor([3e38, -3e38, 0, -3e38, 3e38, 1, 1e20, -1e20, 1e-30, 3e38, 3e38, 3e38], [2, 2, 3])
    for (const size of [1, 1e3, 1e6]) {
      const params = Object.fromEntries(
        Object.entries(drawn).map(([name, t]) => [
          name,
          tensor(
            Float32Array.from(t.data, (v) => v * size),
            t.shape,
          ),
        ]),
      )
      const { outputs, vjp } = await gate.vjp(single, params, x)
      const cotangent = Object.fromEntries(
        (['logits', 'next'] as const).map((name) => [name, wave32((outputs[name] as Tensor).shape)]),
      )
      for (const [name, t] of Object.entries({ ...outputs, ...(await vjp(cotangent)) }))
        expect([name, size, [...t.data].every(Number.isFinite)]).toEqual([name, size, true])
    }
  })
})

describe('raising an expert’s precision', () => {
  const share = async (kind: 'evidence' | 'gain', pi: number, extra: object) => {
    const gate = createGate({ dim: 3, experts: 3, precision: { kind }, ...extra } as GateConfig)
    const x = wave32([4, 6, 3], 2)
    const precision = tensor([pi, 1, 1])
    const { weights } = await gate.route(backend, gate.init({ seed: 4 }), x, { precision })
    return [...weights.data].filter((_, i) => i % 3 === 0)
  }
  const lowered = async (kind: 'evidence' | 'gain', extra: object) => {
    const rising = [0.5, 1, 2, 8, 100]
    const shares = await Promise.all(rising.map((pi) => share(kind, pi, extra)))
    return shares.slice(1).some((row, i) => row.some((v, n) => v < (shares[i]?.[n] as number) - 1e-12))
  }
  it.each([{}, { memory: { kind: 'leaky' } }, { anticipation: { kind: 'logits' } }, { belief: {} }])(
    'never lowers its share as evidence: %j',
    async (extra) => {
      expect(await lowered('evidence', extra)).toBe(false)
    },
  )
  it('lowers it as a gain, where its logit is negative', async () => {
    expect(await lowered('gain', {})).toBe(true)
  })
})

describe('what is refused', () => {
  const size = { dim: 4, experts: 2 }
  const bad: [object, string][] = [
    [{ belief: { states: 0 } }, 'gate.belief.states'],
    [{ belief: { phases: 1.5 } }, 'gate.belief.phases'],
    [{ belief: { duration: 'gamma' } }, 'gate.belief.duration'],
    [{ belief: { horizon: 2 } }, 'gate.belief.horizon'],
    [{ belief: { gain: 0 } }, 'gate.belief.gain'],
    [{ belief: { width: 0 } }, 'gate.belief.width'],
    [{ belief: { depth: 2 } }, 'gate.belief.depth'],
    [{ belief: {}, memory: { kind: 'leaky' } }, 'gate.memory'],
    [{ belief: {}, anticipation: { kind: 'direct' } }, 'gate.anticipation'],
    [{ belief: {}, clock: {} }, 'gate.clock'],
    [{ clock: { integrators: 0 } }, 'gate.clock'],
    [{ clock: { surpriseReset: true } }, 'gate.clock.surpriseReset'],
    [{ clock: { affinity: false } }, 'gate.clock.affinity'],
    [{ clock: {}, memory: { kind: 'mean' } }, 'gate.clock'],
    [{ precision: { kind: 'gain', learned: true } }, 'gate.precision.learned'],
  ]
  it.each(bad)('%j', async (fields, path) => {
    const make = () => createGate({ ...size, ...fields } as GateConfig)
    expect(await codeOf(make)).toBe('FEP_BAD_CONFIG')
    expect(make).toThrow(new RegExp(`^${path.replaceAll('.', '\\.')} `))
  })

  it('Π for a gate that tracks its own, and errors for one that does not', async () => {
    const x = wave32([1, 1, 4])
    const tracking = createGate({ ...size, precision: { kind: 'evidence', scope: 'tracked' } })
    const params = tracking.init({ seed: 1 })
    expect(await codeOf(() => tracking.route(backend, params, x, { precision: tensor([1, 1]) }))).toBe(
      'FEP_UNSUPPORTED',
    )
    const plain = createGate(size)
    const feedback = tensor([0, 1], [1, 1, 2])
    expect(await codeOf(() => plain.route(backend, params, x, { feedback }))).toBe('FEP_UNSUPPORTED')
  })
})
