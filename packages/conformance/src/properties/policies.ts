/** What policies promise, and which of them cannot promise it. */
import type { ComposedGateConfig, GateConfig, Params, Tensor } from '@fep-moe/core'
import {
  createSparseGate,
  cutoffsOf,
  initialPolicyState,
  type PolicyConfig,
  type PolicyState,
  type ResolvedPolicy,
  resolvePolicy,
  type SparseGate,
  type SparseRouteOptions,
  type SparseRouting,
  type ThresholdConfig,
  targetShare,
} from '@fep-moe/core/policies'
import * as fc from 'fast-check'
import { EXACT, type ProcedureCase } from '../frame/case.js'
import { b, f, generator, noise } from '../frame/data.js'
import type { Probe } from '../frame/probe.js'
import { stepsOf } from '../frame/steps.js'
import { gateConfigs } from '../fuzz/gates/recipe.js'
import { compareDecisions, type Decisions, logitBound } from '../gates/agreement.js'
import { cutTold, mapTold, type Told, toldTo } from '../gates/case.js'
import { someState } from '../gates/policies.js'
import { type PolicyRunner, policyRunner } from '../policies/runs.js'
import { orderFrom, perExpertIn, permuted, reordered, restored } from './permuted.js'
import { propertyCase } from './property.js'
import { editedFrom, sequenceOf } from './scenes.js'

/** What a property draws. */
interface Drawn {
  readonly config: GateConfig
  readonly select: PolicyConfig
  readonly batch: number
  readonly steps: number
  readonly seed: number
  readonly at: readonly number[]
}

const VOCABULARY = 7
const thresholds = fc.record({
  kind: fc.constant('threshold' as const),
  granularity: fc.constant(1),
  expansion: fc.integer({ min: 1, max: 2 }),
  weights: fc.constantFrom('sigmoid', 'relu', 'softmax-experts', 'softmax-experts-shared-out'),
  comparison: fc.constantFrom('>=', '>'),
  divideByFanout: fc.boolean(),
})
const chosenPerSequence = fc.constant({
  kind: 'expert-choice' as const,
  granularity: 1,
  expansion: 2,
  pool: 1,
})
const cosines = fc.record({
  kind: fc.constant('cosine-threshold' as const),
  weights: fc.constantFrom('sigmoid', 'binary'),
})
const tokenChoices = fc.record({
  kind: fc.constant('token-choice' as const),
  k: fc.integer({ min: 1, max: 2 }),
  weights: fc.constantFrom('softmax', 'sigmoid'),
  biasRate: fc.constantFrom(0, 0.1),
  biasOn: fc.constantFrom('logits' as const, 'scores' as const),
})
const randoms = fc.record({ kind: fc.constant('random' as const), k: fc.integer({ min: 1, max: 2 }) })
const hashes = fc.record({
  kind: fc.constant('hash' as const),
  k: fc.integer({ min: 1, max: 2 }),
  vocabulary: fc.constant(VOCABULARY),
})

const drawn = (policies: fc.Arbitrary<PolicyConfig>): fc.Arbitrary<Drawn> =>
  fc.noBias(
    fc.record({
      config: gateConfigs.filter(({ router, experts }) => router !== 'oracle' && experts >= 2),
      select: policies,
      batch: fc.integer({ min: 1, max: 4 }),
      steps: fc.integer({ min: 2, max: 9 }),
      seed: fc.noShrink(fc.nat({ max: 2 ** 30 })),
      at: fc.array(fc.nat({ max: 5039 }), { minLength: 6, maxLength: 6 }),
    }),
  )

interface Scene {
  readonly gate: SparseGate
  readonly params: Params
  readonly state: PolicyState
  readonly x: Tensor
  readonly options: SparseRouteOptions
}

function sceneOf({ config, select, batch, steps, seed }: Drawn): Scene {
  const { dim, experts, bias, memory, precision, anticipation, belief, clock } = config as ComposedGateConfig
  const parts = {
    ...(memory && { memory }),
    ...(precision && { precision }),
    ...(anticipation && { anticipation }),
    ...(belief && { belief }),
    ...(clock && { clock }),
  }
  const gate = createSparseGate(
    select.kind === 'cosine-threshold'
      ? { dim, experts, select }
      : { dim, experts, ...(bias === undefined ? {} : { bias }), ...parts, select },
  )
  const next = generator(seed + 5)
  const ids = Int32Array.from({ length: batch * steps }, () => Math.floor(next() * VOCABULARY))
  return {
    gate,
    params: gate.init({ seed }),
    state: someState(gate.policy, seed + 3),
    x: noise(seed + 1, [batch, steps, dim], -2, 2),
    options: {
      ...toldTo(gate.gate.precision ? config : { dim, experts }, batch, steps, seed + 2),
      ...(select.kind === 'random' ? { uniform: noise(seed + 4, [batch, steps, experts], 0, 1) } : {}),
      ...(select.kind === 'hash' ? { ids: { dtype: 'int32', shape: [batch, steps], data: ids } } : {}),
    },
  }
}

const tensorsOf = (result: SparseRouting): [string, Tensor][] =>
  Object.entries(result).filter((entry): entry is [string, Tensor] => typeof entry[1] === 'object')

const decisionsOf = (
  { logits, weights, indices, margin, next }: SparseRouting,
  of: (t: Tensor) => Tensor,
): Decisions => ({
  logits: of(logits),
  weights: of(weights),
  indices: of(indices),
  margin: of(margin),
  next: next && of(next),
})

/** What the gate itself is told. */
const toldIn = ({ precision, feedback }: SparseRouteOptions): Told => ({
  ...(precision && { precision: precision as Tensor }),
  ...(feedback && { feedback }),
})

/** The per-token feeds of an option, cut as tokens are. */
const optionsOf = (options: SparseRouteOptions, of: (t: Tensor) => Tensor): SparseRouteOptions => ({
  ...options,
  ...cutTold(toldIn(options), of),
  ...(options.uniform ? { uniform: of(options.uniform) } : {}),
  ...(options.ids ? { ids: of(options.ids) } : {}),
})

const causal = propertyCase<Drawn>({
  id: 'policies/causal',
  seed: 701,
  note: 'what comes after a token changes nothing up to it: not a bit differs',
  things: drawn(fc.oneof(thresholds, cosines, tokenChoices, randoms, hashes)),
  holds: async (probe, things) => {
    const { gate, params, state, x, options } = sceneOf(things)
    const last = (things.at[0] as number) % (things.steps - 1)
    const whole = await gate.route(probe.backend, params, state, x, options)
    const edited = await gate.route(
      probe.backend,
      params,
      state,
      editedFrom(x, last + 1, things.seed + 6),
      options,
    )
    probe.check(gate.causal, 'a policy that does not look ahead must say that it is causal')
    const other = new Map(tensorsOf(edited))
    for (const [name, t] of tensorsOf(whole))
      if (name !== 'load')
        await probe.compare(name, stepsOf(other.get(name) as Tensor, 0, last + 1), stepsOf(t, 0, last + 1))
    await gate.release(probe.backend)
  },
})

const batchInvariant = propertyCase<Drawn>({
  id: 'policies/batch-invariant',
  seed: 702,
  note: 'a sequence alone, or among others in another order, is routed the same, under the margin rule',
  things: drawn(fc.oneof(thresholds, chosenPerSequence, cosines, tokenChoices, randoms, hashes)),
  holds: async (probe, things) => {
    const { gate, params, state, x, options } = sceneOf(things)
    const among = await gate.route(probe.backend, params, state, x, options)
    const bound = logitBound({ config: gate.gate }, params, things.steps, among.logits)
    const row = (things.at[0] as number) % things.batch
    const alone = (t: Tensor) => sequenceOf(t, row)
    const other = (t: Tensor) => reversed(t)
    probe.check(gate.batchInvariant, 'a policy that does not look around must say so')
    for (const of of [alone, other]) {
      const got = await gate.route(probe.backend, params, state, of(x), optionsOf(options, of))
      await compareDecisions(
        probe,
        of === alone ? 'alone' : 'in another order',
        decisionsOf(got, (t) => t),
        decisionsOf(among, of),
        bound,
      )
    }
    await gate.release(probe.backend)
  },
})

/** Sequences in the opposite order. */
function reversed(t: Tensor): Tensor {
  const [batch] = t.shape as [number]
  const width = t.data.length / batch
  const data = t.data.slice() as Float32Array
  for (let row = 0; row < batch; row++)
    data.set(t.data.subarray((batch - 1 - row) * width, (batch - row) * width) as Float32Array, row * width)
  return { ...t, data }
}

const equivariant = propertyCase<Drawn>({
  id: 'policies/permutation-equivariant',
  seed: 703,
  note: 'experts in another order give the same decisions in that order, under the margin rule; hash has its own order',
  things: drawn(fc.oneof(thresholds, chosenPerSequence, cosines, tokenChoices, randoms)),
  holds: async (probe, things) => {
    const { gate, params, state, x, options } = sceneOf(things)
    const order = orderFrom(things.at, things.config.experts)
    const want = await gate.route(probe.backend, params, state, x, options)
    const others = perExpertIn({ config: gate.gate, params: gate.params })
    const shuffled = permuted(state as Params, order) as PolicyState
    const got = await gate.route(probe.backend, permuted(params, order, others), shuffled, x, {
      ...mapTold(toldIn(options), (t) => reordered(t, order)),
      ...(options.uniform ? { uniform: reordered(options.uniform, order) } : {}),
    })
    const back = (name: string, t: Tensor): Tensor =>
      name === 'indices'
        ? { ...t, data: Int32Array.from(t.data, (e) => (e < 0 ? e : (order[e] as number))) }
        : name === 'margin'
          ? t
          : restored(t, order)
    await compareDecisions(
      probe,
      'permuted',
      {
        logits: back('logits', got.logits),
        weights: back('weights', got.weights),
        indices: back('indices', got.indices),
        margin: got.margin,
        next: got.next && back('next', got.next),
      },
      want,
      logitBound({ config: gate.gate }, params, things.steps, want.logits),
    )
    await gate.release(probe.backend)
  },
})

const pure = propertyCase<Drawn>({
  id: 'policies/pure',
  seed: 704,
  note: 'evaluation gives the same bytes again, and changes neither parameters nor state',
  things: drawn(fc.oneof(thresholds, chosenPerSequence, cosines, tokenChoices, randoms, hashes)),
  holds: async (probe, things) => {
    const { gate, params, state, x, options } = sceneOf(things)
    const before = Object.entries({ ...params, ...state, x }).map(
      ([name, t]) => [name, t, { ...t, data: t.data.slice() as Tensor['data'] }] as const,
    )
    const first = await gate.route(probe.backend, params, state, x, options)
    const again = new Map(tensorsOf(await gate.route(probe.backend, params, state, x, options)))
    for (const [name, t] of tensorsOf(first)) await probe.compare(name, again.get(name) as Tensor, t)
    for (const [name, now, then] of before) await probe.compare(`${name} afterwards`, now, then)
    await gate.release(probe.backend)
  },
})

const looksAhead = propertyCase<Drawn>({
  id: 'policies/expert-choice-looks-ahead',
  seed: 705,
  note: 'negative: later tokens with larger logits take the places of earlier ones; it says so, and does not stream',
  things: drawn(chosenPerSequence),
  holds: async (probe, things) => {
    const { gate, params, state } = sceneOf(things)
    const { experts } = things.config
    const [steps, half] = [4, 2]
    const runner = policyRunner(probe.backend, gate.policy)
    const logits = noise(things.seed, [1, steps, experts], -1, 1)
    // The first two tokens win, until the last two are raised.
    const raised = (from: number, to: number) => ({
      ...logits,
      data: logits.data.map((z: number, i: number) => z + (i >= from * experts && i < to * experts ? 9 : 0)),
    })
    const mask = async (t: Tensor) => (await runner.decide({}, t)).results.mask as Tensor
    const [early, late] = [await mask(raised(0, half)), await mask(raised(half, steps))]
    const all = (value: number) => f(new Array<number>(half * experts).fill(value), [1, half, experts])
    await probe.compare('the past before', stepsOf(early, 0, half), all(1), EXACT)
    await probe.compare('the past after', stepsOf(late, 0, half), all(0), EXACT)
    probe.check(!gate.causal, 'expert choice says that it is not causal')
    await probe.rejects('FEP_UNSUPPORTED', 'a stream of expert choice', () =>
      gate.stream(probe.backend, params, state, { batch: things.batch }),
    )
    runner.dispose()
  },
})

const BATCHES = 4
const [ROWS, COLUMNS, EXPERTS] = [8, 32, 4]
const TOKENS = BATCHES * ROWS * COLUMNS
const UPDATES = 24

/** Updates on the same batches over and over, until the average has settled. */
async function settled(
  runner: PolicyRunner,
  start: PolicyState,
  logits: readonly Tensor[],
): Promise<PolicyState> {
  let state = start
  for (let update = 0; update < UPDATES; update++) {
    const decided = await runner.decide(state, logits[update % BATCHES] as Tensor, { training: true })
    state = await runner.settle(decided.state)
  }
  return state
}

/** Tokens of each expert over all batches, in evaluation. */
async function loadOver(
  runner: PolicyRunner,
  state: PolicyState,
  logits: readonly Tensor[],
): Promise<number[]> {
  const total = new Array<number>(EXPERTS).fill(0)
  for (const batch of logits) {
    const { results } = await runner.decide(state, batch)
    ;(results.load as Tensor).data.forEach((n: number, e: number) => {
      ;(total[e] as number) += n
    })
  }
  return total
}

const within = (probe: Probe, what: string, load: readonly number[], target: number) =>
  probe.compare(what, f([...load]), f(load.map(() => target)), { atol: 0.1 * target, rtol: 0 })

interface Averaged {
  readonly config: ThresholdConfig & { readonly expansion: number }
  readonly expert: number
  readonly shift: number
  readonly seed: number
}

const averages = fc.noBias(
  fc.record({
    config: fc.record({
      kind: fc.constant('threshold' as const),
      granularity: fc.constant(1),
      expansion: fc.constantFrom(2, 4),
      capacity: fc.constantFrom(null, 0.5),
      weights: fc.constantFrom('sigmoid' as const, 'softmax-experts' as const),
      decay: fc.constant(0.8),
    }),
    expert: fc.nat({ max: EXPERTS - 1 }),
    shift: fc.constantFrom(-1.5, -0.75, 0.75, 1.5),
    seed: fc.noShrink(fc.nat({ max: 2 ** 30 })),
  }),
)

const followed = propertyCase<Averaged>({
  id: 'policies/cutoffs-follow-logits',
  seed: 706,
  runs: 2,
  note: 'an expert whose logits rise (fall) gets a higher (lower) cutoff, and its load is within 10 % of its target again',
  things: averages,
  holds: async (probe, { config, expert, shift, seed }) => {
    const policy: ResolvedPolicy = resolvePolicy(config, EXPERTS)
    const runner = policyRunner(probe.backend, policy)
    const logits = Array.from({ length: BATCHES }, (_, i) => noise(seed + i, [ROWS, COLUMNS, EXPERTS], -2, 2))
    const shifted = logits.map((t) => ({
      ...t,
      data: t.data.map((z: number, i: number) => (i % EXPERTS === expert ? z + shift : z)) as Tensor['data'],
    }))
    const target = targetShare(policy as never) * TOKENS
    const before = await settled(runner, initialPolicyState(policy), logits)
    await within(probe, 'load', await loadOver(runner, before, logits), target)
    const moved = await loadOver(runner, before, shifted)
    probe.check(
      Math.abs((moved[expert] as number) - target) > 0.1 * target,
      'at first the load follows the logits',
    )
    const after = await settled(runner, before, shifted)
    const rise = (cutoffsOf(policy, after)[expert] as number) - (cutoffsOf(policy, before)[expert] as number)
    probe.check(Math.sign(rise) === Math.sign(shift), 'the cutoff goes the way of the logits')
    await within(probe, 'load afterwards', await loadOver(runner, after, shifted), target)
    runner.dispose()
  },
})

const loads = propertyCase<Averaged>({
  id: 'policies/load-near-its-target',
  seed: 707,
  runs: 2,
  note: 'threshold within 10 %; expert choice, token choice and random in sum exactly; capacity never exceeded',
  things: averages,
  holds: async (probe, { config, seed }) => {
    const { expansion, weights } = config
    const logits = noise(seed, [ROWS, COLUMNS, EXPERTS], -2, 2)
    const tokens = ROWS * COLUMNS
    const share = { granularity: 1, expansion, ...(weights && { weights }) }
    const decide = async (
      config: PolicyConfig,
      training: boolean,
      feeds: Readonly<Record<string, Tensor>> = {},
    ) => {
      const policy = resolvePolicy(config, EXPERTS)
      const runner = policyRunner(probe.backend, policy)
      const state = initialPolicyState(policy)
      const { results } = await runner.decide(state, logits, { training, feeds })
      runner.dispose()
      return results
    }
    const sum = (t: Tensor | undefined) => [...(t as Tensor).data].reduce((n, x) => n + x, 0)
    const exact = (what: string, got: number, want: number) => probe.compare(what, f([got]), f([want]), EXACT)
    const chosen = await decide({ kind: 'expert-choice', ...share }, false)
    await probe.compare(
      'expert choice',
      chosen.load as Tensor,
      f(new Array(EXPERTS).fill(tokens / expansion)),
      EXACT,
    )
    await exact('token choice', sum((await decide({ kind: 'token-choice', k: 2 }, false)).load), 2 * tokens)
    const uniform = noise(seed + 1, [ROWS, COLUMNS, EXPERTS], 0, 1)
    await exact('random', sum((await decide({ kind: 'random', k: 2 }, false, { uniform })).load), 2 * tokens)
    const full = await decide({ kind: 'token-choice', k: 2, capacity: { factor: 0.5 } }, true)
    const room = tokens / EXPERTS
    probe.check(Math.max(...(full.load as Tensor).data) <= room, 'no expert takes more than its capacity')
    await exact('taken and dropped', sum(full.load) + sum(full.dropped), 2 * tokens)
    const policy = resolvePolicy(config, EXPERTS)
    const runner = policyRunner(probe.backend, policy)
    const batches = Array.from({ length: BATCHES }, (_, i) =>
      noise(seed + i, [ROWS, COLUMNS, EXPERTS], -2, 2),
    )
    const state = await settled(runner, initialPolicyState(policy), batches)
    await within(probe, 'threshold', await loadOver(runner, state, batches), TOKENS / expansion)
    runner.dispose()
  },
})

const padded = propertyCase<Drawn>({
  id: 'policies/padding-counts-nowhere',
  seed: 708,
  note: 'what stands in padding changes no decision on tokens, no load, no cutoff and no loss: not a bit differs',
  things: drawn(
    fc.oneof(
      thresholds,
      chosenPerSequence.map((c) => ({ ...c, pool: null })),
      cosines,
      tokenChoices.map((c) => ({ ...c, balance: 0.1, zLoss: 0.1, capacity: { factor: 1 } })),
    ),
  ),
  holds: async (probe, { select, config, batch, seed }) => {
    const steps = 8
    const policy = resolvePolicy(select, config.experts)
    const shape = [batch, steps, config.experts]
    const bits = Array.from({ length: batch * steps }, (_, n) => (n % steps < steps / 2 ? 1 : 0))
    const valid = b(bits, [batch, steps])
    const logits = noise(seed, shape, -2, 2)
    const junk = noise(seed + 1, shape, -50, 50)
    const other: Tensor = {
      ...logits,
      data: logits.data.map((z: number, i: number) =>
        bits[Math.floor(i / config.experts)] ? z : (junk.data[i] as number),
      ) as Tensor['data'],
    }
    const runner = policyRunner(probe.backend, policy)
    const state = someState(policy, seed + 2)
    for (const training of [false, true]) {
      const run = (t: Tensor) => runner.decide(state, t, { training, feeds: { valid } })
      const [first, second] = [(await run(logits)).results, (await run(other)).results]
      for (const [name, t] of Object.entries(first))
        if (name !== 'margin' && name !== 'shared' && name !== 'clamped')
          await probe.compare(name, second[name] as Tensor, t)
      const taken = (first.mask as Tensor).data.filter(
        (_: number, i: number) => !bits[Math.floor(i / config.experts)],
      )
      probe.check(
        taken.every((m: number) => m === 0),
        'padding goes to no expert',
      )
    }
    runner.dispose()
  },
})

/** See the file's header. */
export const policyProperties = (): ProcedureCase[] => [
  causal,
  looksAhead,
  batchInvariant,
  equivariant,
  pure,
  loads,
  followed,
  padded,
]
