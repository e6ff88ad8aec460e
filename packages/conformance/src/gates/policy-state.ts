/** What becomes of a policy's state: cutoffs that follow, are adapted, calibrated and revived; loads that come of it. */
import { random, type Tensor } from '@fep-moe/core'
import {
  adapt,
  calibrate,
  createSparseGate,
  cutoffsOf,
  initialPolicyState,
  type PolicyConfig,
  type PolicyState,
  type ResolvedPolicy,
  resolvePolicy,
  starving,
  targetShare,
  withCutoffs,
} from '@fep-moe/core/policies'
import { EXACT, type ProcedureCase } from '../frame/case.js'
import { b, f, mapped, noise } from '../frame/data.js'
import type { Probe } from '../frame/probe.js'
import { policyRunner } from '../policies/runs.js'
import { gateCase } from './case.js'
import { someState } from './policies.js'

const EXPERTS = 4
const [BATCH, STEPS] = [2, 32]

/** Standard normal numbers. */
function normals(seed: number, shape: readonly number[]): Tensor {
  const data = new Float32Array(shape.reduce((n, d) => n * d, 1))
  random(seed).fillNormal(data)
  return { dtype: 'float32', shape, data }
}

const loadOf = (results: Readonly<Record<string, Tensor>>): number[] => [...(results.load as Tensor).data]

/** Training and serving make the same update of the same batch. */
async function checkAdapt(probe: Probe, config: PolicyConfig): Promise<void> {
  const policy = resolvePolicy(config, EXPERTS)
  const runner = policyRunner(probe.backend, policy)
  let trained: PolicyState = someState(policy, 901)
  let served = trained
  try {
    for (let update = 0; update < 4; update++) {
      const logits = noise(902 + update, [BATCH, STEPS, EXPERTS], -2, 2)
      const valid = b(
        Array.from({ length: BATCH * STEPS }, (_, n) => (n % STEPS < STEPS - 2 * update ? 1 : 0)),
        [BATCH, STEPS],
      )
      const decided = await runner.decide(trained, logits, { training: true, feeds: { valid } })
      trained = await runner.settle(decided.state)
      served = adapt(policy, served, logits, { valid })
      for (const name of ['cutoff', 'correction', 'idle'])
        if (served[name]) await probe.compare(`${name} ${update}`, trained[name] as Tensor, served[name])
    }
  } finally {
    runner.dispose()
  }
}

/** The loads of `updates` updates on one batch after another. */
async function loadsOver(
  probe: Probe,
  policy: ResolvedPolicy,
  start: PolicyState,
  updates: number,
  logitsAt: (update: number) => Tensor,
): Promise<{ loads: number[][]; state: PolicyState }> {
  const runner = policyRunner(probe.backend, policy)
  const loads: number[][] = []
  let state = start
  try {
    for (let update = 0; update < updates; update++) {
      const { results, state: next } = await runner.decide(state, logitsAt(update), { training: true })
      loads.push(loadOf(results))
      state = await runner.settle(next)
    }
    return { loads, state }
  } finally {
    runner.dispose()
  }
}

async function checkRevival(probe: Probe): Promise<void> {
  const [starved, updates, after] = [2, 12, 5]
  const plain: PolicyConfig = { kind: 'threshold', capacity: null, decay: 0.999 }
  const target = (BATCH * STEPS) / 2
  for (const reviveAfter of [after, null]) {
    const policy = resolvePolicy({ ...plain, reviveAfter }, EXPERTS)
    const start = withCutoffs(
      policy,
      initialPolicyState(policy),
      Array.from({ length: EXPERTS }, (_, e) => (e === starved ? 50 : 0)),
    )
    const logitsAt = (update: number) => normals(930 + update, [BATCH, STEPS, EXPERTS])
    const { loads, state } = await loadsOver(probe, policy, start, updates, logitsAt)
    const loadAt = (update: number) => (loads[update] as number[])[starved] as number
    probe.check(
      loads.slice(0, after).every((load) => load[starved] === 0),
      'a cutoff far too high keeps every token away',
    )
    const idle = (state.idle as Tensor).data
    if (reviveAfter === null) {
      probe.check(loadAt(updates - 1) === 0, 'without the rule the expert still starves')
      probe.check(starving(idle, updates).join() === `${starved}`, 'and is reported')
      continue
    }
    probe.check(Math.abs(loadAt(after) - target) <= 0.35 * target, 'with the rule it gets its share at once')
    probe.check(Math.abs(loadAt(updates - 1) - target) <= 0.35 * target, 'and keeps it')
    probe.check(starving(idle, 1).length === 0, 'and nothing is reported')
    let served: PolicyState = start
    for (let update = 0; update < updates; update++) served = adapt(policy, served, logitsAt(update))
    await probe.compare('cutoffs by adapt', f(cutoffsOf(policy, served)), f(cutoffsOf(policy, state)), {
      atol: 1e-4,
      rtol: 1e-4,
    })
  }
}

/** Thresholds that follow mean − std end near the 16th percentile, wherever they start. */
async function checkCosineLoad(probe: Probe): Promise<void> {
  const dim = 32
  const gate = createSparseGate({
    dim,
    experts: EXPERTS,
    select: { kind: 'cosine-threshold', decay: 0.9 },
  })
  const params = gate.init({ seed: 941 })
  const tokens = (seed: number) => normals(seed, [BATCH, STEPS, dim])
  let state = gate.initialState()
  const shares: number[] = []
  try {
    for (let update = 0; update < 120; update++) {
      const { logits, load } = await gate.route(probe.backend, params, state, tokens(950 + update))
      if (update >= 60) for (const n of load.data) shares.push(n / (BATCH * STEPS))
      state = adapt(gate.policy, state, logits)
    }
    const mean = shares.reduce((a, c) => a + c, 0) / shares.length
    await probe.compare('share of tokens', f([mean]), f([0.841]), { atol: 0.02, rtol: 0 })
  } finally {
    await gate.release(probe.backend)
  }
}

/** Calibrated cutoffs give the load they were asked for; where Π changes the logits, calibrating again does. */
async function checkCalibrated(probe: Probe): Promise<void> {
  const gate = createSparseGate({
    dim: 6,
    experts: EXPERTS,
    memory: { kind: 'leaky' },
    precision: { kind: 'gain' },
    select: { kind: 'threshold', granularity: 1, expansion: 4 },
  })
  const params = gate.init({ seed: 961 })
  const x = normals(962, [BATCH, STEPS, 6])
  const target = targetShare(gate.policy as never) * BATCH * STEPS
  try {
    const calibrated = async (precision: Tensor) => {
      const { logits } = await gate.route(probe.backend, params, gate.initialState(), x, { precision })
      return withCutoffs(gate.policy, gate.initialState(), calibrate(logits, target / (BATCH * STEPS)))
    }
    const loads = async (state: PolicyState, precision: Tensor) => [
      ...(await gate.route(probe.backend, params, state, x, { precision })).load.data,
    ]
    const [even, uneven] = [f([1, 1, 1, 1]), f([4, 1, 0.25, 1])]
    const state = await calibrated(even)
    const wanted = new Array<number>(EXPERTS).fill(target)
    await probe.compare('load as asked', f(await loads(state, even)), f(wanted), EXACT)
    const off = await loads(state, uneven)
    probe.check(
      Math.abs((off[0] as number) - target) > 0.1 * target,
      'Π moves the load of calibrated cutoffs',
    )
    await probe.compare(
      'calibrated again',
      f(await loads(await calibrated(uneven), uneven)),
      f(wanted),
      EXACT,
    )
  } finally {
    await gate.release(probe.backend)
  }
}

/** Two equal logits at the k-th rank: `>=` takes both, `>` neither; raising all logits raises nothing but cutoffs. */
async function checkTies(probe: Probe): Promise<void> {
  const logits = f([1, 0, 0, -1], [1, 4, 1])
  for (const [comparison, taken] of [
    ['>=', [1, 1, 1, 0]],
    ['>', [1, 0, 0, 0]],
  ] as const) {
    const policy = resolvePolicy({ kind: 'threshold', comparison, granularity: 1, expansion: 2 }, 1)
    const state = withCutoffs(policy, initialPolicyState(policy), [0])
    const runner = policyRunner(probe.backend, policy)
    const { results } = await runner.decide(state, logits)
    await probe.compare(comparison, probe.present('mask', results.mask), f(taken, [1, 4, 1]), EXACT)
    const shifted = withCutoffs(policy, state, [1])
    const raised = await runner.decide(
      shifted,
      mapped(logits, (z) => z + 1),
    )
    await probe.compare(`${comparison}, raised`, raised.results.mask as Tensor, f(taken, [1, 4, 1]), EXACT)
    runner.dispose()
  }
}

/** See the file's header. */
export const policyStateCases = (): ProcedureCase[] => [
  ...(['threshold', 'expert-choice', 'cosine-threshold'] as const).map((kind) =>
    gateCase(
      `policies/state/adapt/${kind}`,
      901,
      { atol: 2e-6, rtol: 4e-6 },
      'a serving batch makes the update that a training step makes',
      (probe) => checkAdapt(probe, { kind, decay: 0.9 }),
    ),
  ),
  gateCase('policies/state/revival', 930, EXACT, 'a cutoff set far too high recovers', checkRevival),
  gateCase(
    'policies/state/cosine-load',
    941,
    EXACT,
    'mean − std lets about 84 % of the tokens pass (Φ(1) = .841), not the half that a median would',
    checkCosineLoad,
  ),
  gateCase('policies/state/calibrated', 961, EXACT, 'quantiles of logged logits', checkCalibrated),
  gateCase('policies/state/ties', 971, EXACT, 'at the cutoff `>=` takes and `>` does not', checkTies),
]
