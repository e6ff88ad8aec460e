/** Policies: decisions against their definition, padding, streams, training in micro-batches, and published values. */
import { adam, type Backend, GraphBuilder, ops, referenceBackend, type Tensor, takeAll } from '@fep-moe/core'
import {
  createSparseGate,
  loadBalanceLoss,
  type PolicyConfig,
  type PolicyState,
  policyStates,
  promisesOf,
  type ResolvedPolicy,
  resolvePolicy,
  routerZLoss,
  type SparseGate,
} from '@fep-moe/core/policies'
import { EXACT, type ProcedureCase } from '../frame/case.js'
import { b, f, fill, generator, i, noise } from '../frame/data.js'
import type { Probe } from '../frame/probe.js'
import { stepOf } from '../frame/steps.js'
import { expectedDecision } from '../policies/expected.js'
import { policyRunner } from '../policies/runs.js'
import { EXPERTS, POLICIES, VOCABULARY } from '../policies/table.js'
import { compareDecisions, logitBound } from './agreement.js'
import { gateCase } from './case.js'

/** B, T, d of these cases. */
export const [BATCH, STEPS, DIM] = [3, 5, 6] as const
const TOKENS = BATCH * STEPS

/** Bits with some of them 0. */
export const someOf = (seed: number, shape: readonly number[], share: number): Tensor => {
  const next = generator(seed)
  return b(
    Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => (next() < share ? 1 : 0)),
    shape,
  )
}

const idsOf = (seed: number, shape: readonly number[]): Tensor => {
  const next = generator(seed)
  return i(
    Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => Math.floor(next() * VOCABULARY)),
    [...shape],
  )
}

/** A state in which everything is at work: cutoffs that some tokens pass, a bias, steps at `steps`. */
export function someState(policy: ResolvedPolicy, seed: number, steps = 0): PolicyState {
  return Object.fromEntries(
    policyStates(policy).map(({ name, shape }, at) => [
      name,
      name === 'correction'
        ? f([0.5], [])
        : name === 'steps'
          ? f([steps], [])
          : name === 'cutoff' || name === 'bias'
            ? noise(seed + at, shape, -0.3, 0.3)
            : fill(shape, () => 0),
    ]),
  )
}

/** What the policy is fed beside logits. */
export function feedsOf(policy: ResolvedPolicy, seed: number, training: boolean): Record<string, Tensor> {
  const perExpert = [BATCH, STEPS, EXPERTS]
  return {
    ...(policy.kind === 'random' ? { uniform: noise(seed, perExpert, 0, 1) } : {}),
    ...(policy.kind === 'hash' ? { ids: idsOf(seed, [BATCH, STEPS]) } : {}),
    ...(training && policy.kind === 'token-choice' && policy.noise
      ? { noise: noise(seed, perExpert, -2, 2) }
      : {}),
  }
}

/** An exponential, a sum and a quotient per weight. */
const DECISION = { atol: 2e-6, rtol: 4e-6 }

async function checkDecision(probe: Probe, config: PolicyConfig): Promise<void> {
  const policy = resolvePolicy(config, EXPERTS)
  const runner = policyRunner(probe.backend, policy)
  const flat = (rows: readonly (readonly number[])[]) => rows.flat()
  try {
    for (const training of [false, true]) {
      for (const padding of [false, true]) {
        for (const steps of 'warmUp' in policy && policy.warmUp > 0 ? [0, policy.warmUp] : [0]) {
          const seed = 811 + steps
          const logits = noise(seed, [BATCH, STEPS, EXPERTS], -2, 2)
          const valid = padding ? someOf(seed + 1, [BATCH, STEPS], 0.8) : undefined
          const feeds = { ...feedsOf(policy, seed + 2, training), ...(valid ? { valid } : {}) }
          const state = someState(policy, seed + 3, steps)
          const { results } = await runner.decide(state, logits, { training, feeds })
          const want = expectedDecision(policy, { logits, state, training, valid, ...feeds })
          const what = `${training ? 'training' : 'evaluation'}${padding ? ', padded' : ''}`
          const compare = (name: string, expected: Tensor, exact = false) =>
            probe.compare(
              `${what}: ${name}`,
              probe.present(name, results[name]),
              expected,
              exact ? EXACT : DECISION,
            )
          await compare('mask', f(flat(want.mask), logits.shape), true)
          const indices = probe.present('indices', results.indices)
          await compare('indices', i(flat(want.indices), [...indices.shape]), true)
          await compare('weights', f(flat(want.weights), logits.shape))
          await compare('shared', f([...want.shared], [BATCH, STEPS, 1]))
          const load = Array.from({ length: EXPERTS }, (_, e) =>
            want.mask.reduce((n, row) => n + (row[e] as number), 0),
          )
          await compare('load', f(load), true)
          if (results.dropped) await compare('dropped', f(flat(want.dropped), logits.shape), true)
        }
      }
    }
  } finally {
    runner.dispose()
  }
}

/** A gate with every term of the free-energy principle under a policy. */
const composed = (select: PolicyConfig): SparseGate =>
  createSparseGate(
    select.kind === 'cosine-threshold'
      ? { dim: DIM, experts: EXPERTS, select }
      : {
          dim: DIM,
          experts: EXPERTS,
          memory: { kind: 'leaky' },
          precision: { kind: 'evidence' },
          anticipation: { kind: 'additive', width: 5 },
          select,
        },
  )

async function checkStream(probe: Probe, select: PolicyConfig): Promise<void> {
  const gate = composed(select)
  const [params, x] = [gate.init({ seed: 821 }), noise(822, [BATCH, STEPS, DIM], -2, 2)]
  const state = someState(gate.policy, 823)
  if (!promisesOf(gate.policy).causal || select.kind === 'random' || select.kind === 'hash') {
    await probe.rejects('FEP_UNSUPPORTED', 'a stream of a policy that needs more than the token', () =>
      gate.stream(probe.backend, params, state, { batch: BATCH }),
    )
    return
  }
  const options = gate.gate.precision ? { precision: noise(824, [EXPERTS], 0.3, 4) } : {}
  const stream = await gate.stream(probe.backend, params, state, { batch: BATCH })
  try {
    const whole = await gate.route(probe.backend, params, state, x, options)
    const bound = logitBound({ config: gate.gate }, params, STEPS, whole.logits)
    for (let t = 0; t < STEPS; t++) {
      const got = await stream.step(stepOf(x, t), options)
      await compareDecisions(
        probe,
        `step ${t}`,
        got,
        {
          logits: stepOf(whole.logits, t),
          weights: stepOf(whole.weights, t),
          indices: stepOf(whole.indices, t),
          margin: stepOf(whole.margin, t),
          next: whole.next && stepOf(whole.next, t),
        },
        bound,
      )
    }
  } finally {
    stream.dispose()
    await gate.release(probe.backend)
  }
}

const TRAINED: Readonly<Record<string, PolicyConfig>> = {
  threshold: { kind: 'threshold', decay: 0.8 },
  'threshold/warm-up': {
    kind: 'threshold',
    decay: 0.8,
    warmUp: 2,
    capacity: null,
    weights: 'softmax-experts',
  },
  'expert-choice': { kind: 'expert-choice', decay: 0.8, pool: 2 },
  'token-choice': {
    kind: 'token-choice',
    k: 2,
    noise: { kind: 'learned' },
    balance: 0.5,
    zLoss: 0.1,
    biasRate: 0.05,
    capacity: { factor: 0.75 },
  },
}
const UPDATES = 4
const MICRO_BATCHES = 2
const TRAINING_BATCH = 4

interface Trajectory {
  readonly losses: readonly number[]
  readonly tensors: Readonly<Record<string, Tensor>>
}

async function train(backend: Backend, select: PolicyConfig, together: boolean): Promise<Trajectory> {
  const gate = composed(select)
  const trainer = await gate.trainer(backend, gate.init({ seed: 831 }), gate.initialState(), {
    optimizer: adam({ lr: 3e-3 }),
  })
  const losses: number[] = []
  const noisy = select.kind === 'token-choice'
  try {
    for (let update = 0; update < UPDATES; update++) {
      for (let micro = 0; micro < (together ? 1 : MICRO_BATCHES); micro++) {
        const seed = 840 + 10 * (MICRO_BATCHES * update + micro)
        const batch = {
          x: noise(seed, [TRAINING_BATCH, STEPS, DIM], -2, 2),
          targets: i([...noise(seed + 1, [TRAINING_BATCH * STEPS], 0, EXPERTS).data].map(Math.floor), [
            TRAINING_BATCH,
            STEPS,
          ]),
          valid: someOf(seed + 2, [TRAINING_BATCH, STEPS], 0.85),
          ...(noisy ? { noise: noise(seed + 3, [TRAINING_BATCH, STEPS, EXPERTS], -2, 2) } : {}),
        }
        const result = together ? await trainer.step(batch) : await trainer.accumulate(batch)
        losses.push(
          await result.loss(),
          ...(await result.load()),
          ...(await result.clamped()),
          ...(await result.dropped()),
        )
      }
      if (!together) await trainer.apply()
    }
    return { losses, tensors: { ...(await trainer.params()), ...(await trainer.state()) } }
  } finally {
    await trainer.dispose()
  }
}

async function checkTraining(probe: Probe, select: PolicyConfig): Promise<void> {
  for (const together of [true, false]) {
    const want = await train(await referenceBackend({ precision: 'float64' }), select, together)
    const got = await train(probe.backend, select, together)
    await probe.compare('losses and loads', f([...got.losses]), f([...want.losses]))
    for (const [name, t] of Object.entries(want.tensors))
      await probe.compare(name, probe.present(name, got.tensors[name]), t)
  }
}

/** Tokens of the router tests of Hugging Face's Switch Transformers: probabilities, and the expert of each. */
const SWITCH_SCORES = f([
  [0.35490513, 0.60419905],
  [0.4275843, 0.23061597],
  [0.32985854, 0.43953657],
  [0.25099766, 0.27730572],
  [0.7678207, 0.71474564],
])
const SWITCH_EXPERTS = [0, 1, 1, 0, 0]
const SWITCH_LOGITS = f([
  [-4.2124424, 3.891939, -3.6481273, 1.8849981],
  [0.32625437, 2.918651, 0.84758997, -4.556842],
  [-3.32062, 4.6977115, -0.15439987, 0.44086337],
  [3.4467149, 4.3436565, -4.7224274, -4.264637],
  [-2.224406, -2.5318158, -1.3832569, 1.1891162],
  [-2.320062, -0.44705987, 4.289819, -0.00662684],
  [0.99470854, -0.6992364, 0.25503993, 4.2952085],
  [3.5937333, -3.2408535, -4.298278, 4.426601],
  [0.7669008, 2.6588762, 2.4505413, 4.6051874],
  [0.23330331, -3.0845237, 0.6262374, -2.9865491],
  [0.7595146, -2.1099675, -4.155346, -2.8326452],
  [2.3771453, 1.004138, -3.1781673, 0.7581556],
])

/** With a row of padding after every token, which must change nothing. */
async function checkPublishedLosses(probe: Probe): Promise<void> {
  const builder = new GraphBuilder('published')
  const padded = (t: Tensor): Tensor => {
    const [rows, width] = t.shape as [number, number]
    const junk = noise(9, [width], -5, 5).data
    return f(
      Array.from({ length: rows }, (_, n) => [...t.data.slice(n * width, (n + 1) * width), ...junk]).flat(),
      [2 * rows, width],
    )
  }
  const feeds: Record<string, Tensor> = {}
  const input = (name: string, t: Tensor) => {
    feeds[name] = t
    return builder.input(name, t.dtype, t.shape)
  }
  const valid = (name: string, rows: number) =>
    input(
      name,
      b(
        Array.from({ length: 2 * rows }, (_, n) => 1 - (n % 2)),
        [2 * rows, 1],
      ),
    )
  const choice = f(SWITCH_EXPERTS.map((e) => [1 - e, e]))
  const of = (name: string, t: Tensor) => ops.permute(input(name, t))
  builder.output('balance', loadBalanceLoss(of('scores', SWITCH_SCORES), of('choice', choice)))
  builder.output(
    'balance, padded',
    loadBalanceLoss(of('padded scores', padded(SWITCH_SCORES)), of('padded choice', padded(choice)), {
      valid: valid('balance valid', 5),
    }),
  )
  builder.output('z', routerZLoss(of('logits', SWITCH_LOGITS)))
  builder.output('z, padded', routerZLoss(of('padded logits', padded(SWITCH_LOGITS)), valid('z valid', 12)))
  const program = await probe.backend.compile(builder.build())
  const found = await takeAll(await program.run(feeds))
  program.dispose()
  for (const [name, value] of Object.entries({
    balance: 0.8741045,
    'balance, padded': 0.8741045,
    z: 13.786719,
    'z, padded': 13.786719,
  }))
    await probe.compare(name, probe.present(name, found[name]), f([value], []))
}

/** `TestTopkGate` of DeepSpeed: logits, and which (token, expert) pairs are left, by what a full expert keeps. */
const DEEPSPEED = [
  {
    k: 2,
    logits: [
      [0.11, 0.2, 0.1, 0.3],
      [0.3, 0.4, 0.11, 0.1],
      [0.11, 0.1, 0.6, 0.5],
      [0.1, 0.11, 0.7, 0.8],
    ],
    score: [[1], [0, 1], [2, 3], [2, 3]],
    position: [[1, 3], [0, 1], [2, 3], [2]],
  },
  {
    k: 3,
    logits: [
      [0.5858, 0.4801, 0.6269, 0.5397, 0.9722, 0.7034],
      [0.5445, 0.6332, 0.4519, 0.6308, 0.0519, 0.645],
      [0.4874, 0.811, 0.7467, 0.8474, 0.0277, 0.3068],
      [0.857, 0.6714, 0.531, 0.3274, 0.4836, 0.9892],
    ],
    score: [
      [2, 4],
      [1, 3, 5],
      [1, 2, 3],
      [0, 5],
    ],
    position: [[2, 4, 5], [1, 3, 5], [1, 2, 3], [0]],
  },
] as const

async function checkPublishedCapacity(probe: Probe): Promise<void> {
  for (const { k, logits, ...kept } of DEEPSPEED) {
    const [tokens, experts] = [logits.length, (logits[0] as readonly number[]).length]
    for (const keep of ['score', 'position'] as const) {
      const policy = resolvePolicy({ kind: 'token-choice', k, capacity: { factor: 1, keep } }, experts)
      const runner = policyRunner(probe.backend, policy)
      const { results } = await runner.decide({}, f(logits, [1, tokens, experts]), { training: true })
      runner.dispose()
      const want = kept[keep].map((row) =>
        Array.from({ length: experts }, (_, e) => ((row as readonly number[]).includes(e) ? 1 : 0)),
      )
      await probe.compare(
        `${keep}, k = ${k}`,
        probe.present('mask', results.mask),
        f(want, [1, tokens, experts]),
        EXACT,
      )
      const dropped = probe.present('dropped', results.dropped).data as Float32Array
      const count = dropped.reduce((n, d) => n + d, 0)
      probe.check(
        count === k * tokens - kept[keep].flat().length,
        'what is dropped is returned and can be counted',
      )
    }
  }
}

/** See the file's header. */
export const policies = (): ProcedureCase[] => [
  ...Object.entries(POLICIES).map(([name, config]) =>
    gateCase(
      `policies/decision/${name}`,
      811,
      DECISION,
      `the definition, token by token in doubles; ${TOKENS} tokens, with padding and without, in training and not`,
      (probe) => checkDecision(probe, config),
    ),
  ),
  ...Object.entries(POLICIES)
    .filter(([, { kind }]) => kind !== 'token-choice')
    .concat([['token-choice/softmax-after', POLICIES['token-choice/softmax-after'] as PolicyConfig]])
    .map(([name, config]) =>
      gateCase(
        `policies/streaming/${name}`,
        821,
        EXACT,
        'logits within 8 · T_eff · 2⁻²⁴ · max|logit|, the same experts where the margin exceeds twice that; or a refusal',
        (probe) => checkStream(probe, config),
      ),
    ),
  ...Object.entries(TRAINED).map(([name, config]) =>
    gateCase(
      `policies/training/${name}`,
      831,
      { atol: 1e-4, rtol: 1e-5 },
      'four updates, at once and in micro-batches, with padding, against the float64 reference',
      (probe) => checkTraining(probe, config),
    ),
  ),
  gateCase(
    'policies/published/switch-losses',
    9,
    { atol: 5e-6, rtol: 2e-6 },
    'values of SwitchTransformerRouterTest in Hugging Face Transformers, which asserts five decimals',
    checkPublishedLosses,
  ),
  gateCase(
    'policies/published/deepspeed-capacity',
    9,
    EXACT,
    'masks of TestTopkGate in DeepSpeed, for both drop policies',
    checkPublishedCapacity,
  ),
]
