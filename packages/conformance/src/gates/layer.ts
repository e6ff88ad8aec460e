/** Sparse layers: what comes out is the weighed sum of the experts that were selected, whatever the policy and the form. */
import { adam, type Backend, erf, type Params, referenceBackend, type Tensor } from '@fep-moe/core'
import { ACTIVATIONS, createMoeLayer, type MoeLayer, type MoeLayerConfig } from '@fep-moe/core/moe'
import type { PolicyConfig } from '@fep-moe/core/policies'
import { EXACT, type ProcedureCase } from '../frame/case.js'
import { f, fill, noise } from '../frame/data.js'
import type { Probe } from '../frame/probe.js'
import { stepOf } from '../frame/steps.js'
import { EXPERTS, POLICIES } from '../policies/table.js'
import { gateCase } from './case.js'
import { BATCH, DIM, feedsOf, STEPS, someOf, someState } from './policies.js'

const WIDTH = 7

/** A shared expert leaves the others less: too little for the small pools of expert choice. */
const hasShared = (select: PolicyConfig, turn: number): boolean =>
  ('sharedExpert' in select && select.sharedExpert === true) ||
  (select.kind !== 'expert-choice' && turn % 3 !== 0)

/** Activation, biases, shared expert and residual take turns, so that every policy meets some of them. */
function configOf(select: PolicyConfig, turn: number): MoeLayerConfig {
  const composed = select.kind !== 'cosine-threshold'
  return {
    dim: DIM,
    experts: EXPERTS,
    router: composed ? { memory: { kind: 'leaky' }, precision: { kind: 'evidence' }, select } : { select },
    expert: {
      width: WIDTH,
      activation: ACTIVATIONS[turn % ACTIVATIONS.length] as (typeof ACTIVATIONS)[number],
      bias: turn % 2 === 0,
    },
    shared: hasShared(select, turn) ? { width: WIDTH - 2, weight: turn % 2 === 0 ? 'policy' : 'one' } : null,
    residual: turn % 4 < 2,
  }
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z))
const ACTIVATE: Readonly<Record<string, (z: number) => number>> = {
  relu: (z) => Math.max(z, 0),
  'relu-squared': (z) => Math.max(z, 0) ** 2,
  gelu: (z) => (z / 2) * (1 + erf(z / Math.SQRT2)),
  silu: (z) => z * sigmoid(z),
  swiglu: (z) => z * sigmoid(z),
}

/** One expert on one token, in doubles. */
function expertOn(layer: MoeLayer, params: Params, prefix: string, x: readonly number[]): number[] {
  const linear = (name: string, input: readonly number[]) => {
    const { data, shape } = params[`${prefix}.${name}.weight`] as Tensor
    const bias = params[`${prefix}.${name}.bias`]?.data
    return Array.from({ length: shape[0] as number }, (_, o) =>
      input.reduce((sum, v, i) => sum + v * (data[o * input.length + i] as number), bias?.[o] ?? 0),
    )
  }
  const { activation } = layer.experts
  const activate = ACTIVATE[activation] as (z: number) => number
  if (activation !== 'swiglu') return linear('2', linear('0', x).map(activate))
  const up = linear('w3', x)
  return linear(
    'w2',
    linear('w1', x).map((z, i) => activate(z) * (up[i] as number)),
  )
}

/** What a decision makes of tokens. */
function expectedOutput(
  layer: MoeLayer,
  params: Params,
  x: Tensor,
  { mask, weights, shared }: { readonly mask: Tensor; readonly weights: Tensor; readonly shared: Tensor },
): Tensor {
  const rows = x.data.length / DIM
  const out = Array.from({ length: rows }, (_, n) => {
    const token = [...x.data.slice(n * DIM, (n + 1) * DIM)] as number[]
    const y = token.map((v) => (layer.residual ? v : 0))
    const addTo = (w: number, values: readonly number[]) =>
      values.forEach((v, i) => {
        ;(y[i] as number) += w * v
      })
    for (let e = 0; e < EXPERTS; e++)
      if (mask.data[n * EXPERTS + e])
        addTo(weights.data[n * EXPERTS + e] as number, expertOn(layer, params, `experts.${e}`, token))
    if (layer.shared)
      addTo(
        layer.shared.weight === 'one' ? 1 : (shared.data[n] as number),
        expertOn(layer, params, 'shared', token),
      )
    return y
  })
  return f(out.flat(), [...x.shape])
}

async function checkRun(probe: Probe, select: PolicyConfig, turn: number): Promise<void> {
  const layer = createMoeLayer(configOf(select, turn))
  const params = layer.init({ seed: 861 + turn })
  const state = someState(layer.policy, 862)
  const x = noise(863 + turn, [BATCH, STEPS, DIM], -2, 2)
  const inputs = feedsOf(layer.policy, 864, false)
  const opened = await layer.open(probe.backend, params, state)
  try {
    for (const padding of [false, true]) {
      const valid = padding ? { valid: someOf(865, [BATCH, STEPS], 0.8) } : {}
      const run = await layer.run(probe.backend, params, state, x, { ...inputs, ...valid, details: true })
      const what = padding ? 'padded' : 'whole'
      await probe.compare(`${what}: y`, run.y, expectedOutput(layer, params, x, run))
      const load = Array.from({ length: EXPERTS }, (_, e) =>
        Array.from(run.mask.data).reduce((n, taken, at) => n + (at % EXPERTS === e ? taken : 0), 0),
      )
      await probe.compare(`${what}: load`, run.load, f(load), EXACT)
      const again = await opened.run(x, { ...inputs, ...valid })
      await probe.compare(`${what}: opened`, again.y, run.y)
    }
    if (!layer.causal || select.kind === 'random' || select.kind === 'hash') {
      await probe.rejects('FEP_UNSUPPORTED', 'a stream of a policy that needs more than the token', () =>
        layer.stream(probe.backend, params, state, { batch: BATCH }),
      )
      return
    }
    const stream = await layer.stream(probe.backend, params, state, { batch: BATCH })
    try {
      for (let t = 0; t < STEPS; t++) {
        const token = stepOf(x, t)
        const got = await stream.step(token)
        await probe.compare(`step ${t}: y`, got.y, expectedOutput(layer, params, token, got))
      }
    } finally {
      stream.dispose()
    }
  } finally {
    await opened.dispose()
    await layer.release(probe.backend)
  }
}

/** Cutoffs that let everything through: more pairs than the first rung of the ladder holds. */
async function checkLadder(probe: Probe): Promise<void> {
  const layer = createMoeLayer(configOf({ kind: 'threshold', capacity: null }, 0))
  const params = layer.init({ seed: 871 })
  const low = { cutoff: f([-9, -9, -9, -9]), correction: f([1], []) }
  const state = { ...layer.initialState(), ...low }
  const x = noise(872, [BATCH, STEPS, DIM], -2, 2)
  const optimizer = adam({ lr: 1e-2 })
  const trainer = await layer.trainer(probe.backend, params, state, { optimizer })
  try {
    const run = await layer.run(probe.backend, params, state, x, { details: true })
    await probe.compare('load', run.load, f(new Array(EXPERTS).fill(BATCH * STEPS)), EXACT)
    await probe.compare('y', run.y, expectedOutput(layer, params, x, run))
    const step = await trainer.step({ x, targets: x })
    const loss = Array.from(run.y.data).reduce((sum, y, i) => sum + (y - (x.data[i] as number)) ** 2, 0)
    await probe.compare('loss', f([await step.loss()]), f([loss / x.data.length]))
    // A step that did not fit was made once: its state counts one update.
    await probe.compare('steps', (await trainer.state()).steps as Tensor, f([1], []), EXACT)
  } finally {
    await trainer.dispose()
    await layer.release(probe.backend)
  }
}

const TRAINED: Readonly<Record<string, PolicyConfig>> = {
  threshold: { kind: 'threshold', decay: 0.8 },
  'threshold/no-capacity': { kind: 'threshold', decay: 0.8, capacity: null, weights: 'softmax-experts' },
  'expert-choice': { kind: 'expert-choice', decay: 0.8 },
  'cosine-threshold': { kind: 'cosine-threshold', decay: 0.8 },
  'token-choice': { kind: 'token-choice', k: 2, balance: 0.1, biasRate: 0.05, capacity: { factor: 0.75 } },
}

async function trajectory(backend: Backend, select: PolicyConfig, turn: number) {
  const layer = createMoeLayer(configOf(select, turn))
  const optimizer = adam({ lr: 3e-3 })
  const trainer = await layer.trainer(backend, layer.init({ seed: 881 }), layer.initialState(), { optimizer })
  const figures: number[] = []
  try {
    for (let s = 0; s < 4; s++) {
      const step = await trainer.step({
        x: noise(882 + s, [BATCH, STEPS, DIM], -2, 2),
        targets: noise(892 + s, [BATCH, STEPS, DIM], -1, 1),
        valid: someOf(902 + s, [BATCH, STEPS], 0.85),
      })
      figures.push(await step.loss(), await step.task(), ...(await step.load()), ...(await step.errors()))
    }
    return { figures: f(figures), tensors: { ...(await trainer.params()), ...(await trainer.state()) } }
  } finally {
    await trainer.dispose()
  }
}

async function checkTraining(probe: Probe, select: PolicyConfig, turn: number): Promise<void> {
  const want = await trajectory(await referenceBackend({ precision: 'float64' }), select, turn)
  const got = await trajectory(probe.backend, select, turn)
  await probe.compare('losses, loads and errors', got.figures, want.figures)
  for (const [name, t] of Object.entries(want.tensors))
    await probe.compare(name, probe.present(name, (got.tensors as Record<string, Tensor>)[name]), t)
}

/** A token that no expert takes. */
async function checkUnrouted(probe: Probe): Promise<void> {
  const x = noise(911, [BATCH, STEPS, DIM], -2, 2)
  for (const [turn, residual] of [
    [0, true],
    [4, false],
  ] as const) {
    const layer = createMoeLayer({ ...configOf({ kind: 'threshold' }, turn), shared: null, residual })
    const high = { cutoff: f([9, 9, 9, 9].map((c) => 100 * c)), correction: f([1], []) }
    const state = { ...layer.initialState(), ...high }
    const { y } = await layer.run(probe.backend, layer.init({ seed: 912 }), state, x)
    await probe.compare('y', y, residual ? x : fill([...x.shape], () => 0), EXACT)
    await layer.release(probe.backend)
  }
}

/** Two products and an activation per expert, on tokens of size 2. */
const OUTPUT = { atol: 2e-5, rtol: 2e-5 }
/** Adam makes a step of its own size from any gradient: small differences grow. */
const TRAJECTORY = { atol: 2e-4, rtol: 2e-4 }

/** See the file's header. */
export const layers = (): ProcedureCase[] => [
  ...Object.entries(POLICIES).map(([name, select], turn) =>
    gateCase(`layer/run/${name}`, 861 + turn, OUTPUT, 'the definition, in doubles', (probe) =>
      checkRun(probe, select, turn),
    ),
  ),
  ...Object.entries(TRAINED).map(([name, select], turn) =>
    gateCase(`layer/training/${name}`, 881, TRAJECTORY, 'four steps against the reference', (probe) =>
      checkTraining(probe, select, turn),
    ),
  ),
  gateCase('layer/ladder', 871, OUTPUT, 'more pairs than were expected', checkLadder),
  gateCase('layer/unrouted', 911, OUTPUT, 'no expert, no change', checkUnrouted),
]
