/** Golden policies of "Expert Threshold routing": expert choice, thresholds, their average, token choice, cosines. */
import { type Backend, type Tensor, takeAll, tensor } from '@fep-moe/core'
import {
  adapt,
  calibrate,
  createSparseGate,
  cutoffsOf,
  initialPolicyState,
  type PolicyConfig,
  type PolicyState,
  resolvePolicy,
  type SparseGate,
} from '@fep-moe/core/policies'
import { EXACT } from '../frame/case.js'
import type { Probe } from '../frame/probe.js'
import { policyRunner, stateFeeds, stateOf } from '../policies/runs.js'
import {
  averagedState,
  comparing,
  float,
  int,
  optional,
  policyOf,
  scriptOf,
  shaped,
  sliceAt,
  tokenChoice,
} from './policy-script.js'
import { openVectors, type VectorEntry } from './vectors.js'

/** Routes as in training: no update is made, but everything is accumulated. */
async function routeInTraining(
  backend: Backend,
  gate: SparseGate,
  params: Readonly<Record<string, Tensor>>,
  state: PolicyState,
  x: Tensor,
) {
  const graph = gate.graph({
    steps: x.shape[1] as number,
    training: true,
    ...(gate.boundInTraining ? { batch: x.shape[0] as number } : {}),
  })
  const program = await backend.compile(graph)
  try {
    return await takeAll(await program.run({ ...params, ...stateFeeds(graph, state), x }))
  } finally {
    program.dispose()
  }
}

/** B1, B2: one batch under expert choice or thresholds, in training or not. */
export async function checkEngine(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const c = scriptOf(entry)
  const select = policyOf(c)
  const [x, params] = [v.get('input.x'), { 'W.weight': v.get('param.router.weight') }]
  const compare = comparing(v, probe)
  for (const divideByFanout of [false, true]) {
    const gate = createSparseGate({
      dim: c.d,
      experts: c.E,
      bias: false,
      select: { ...select, divideByFanout } as PolicyConfig,
    })
    const state = averagedState(gate.initialState(), c, optional(v, 'input.cutoff_ema_raw'))
    try {
      const found: Readonly<Record<string, Tensor>> = c.training
        ? await routeInTraining(probe.backend, gate, params, state, x)
        : ({ ...(await gate.route(probe.backend, params, state, x)) } as never)
      if (divideByFanout) {
        await compare('output.derived_weights_over_fanout', found.weights as Tensor)
        continue
      }
      await compare('output.router_logits', found.logits as Tensor)
      await compare('output.weights', found.weights as Tensor)
      await compare('output.mask', int(found.mask as Tensor))
      await compare('output.shared_weights', found.shared as Tensor)
      await compare('output.counts', int(found.load as Tensor))
      const fanout = new Int32Array(c.B * c.T)
      ;(found.mask as Tensor).data.forEach((taken: number, i: number) => {
        ;(fanout[Math.floor(i / c.E)] as number) += taken
      })
      await compare('output.fanout', tensor(fanout))
      await compare('output.effective_cutoff', float(cutoffsOf(gate.policy, state)))
      if (!c.training) continue
      await compare('output.cutoff_accum_sum', found['policy/total'] as Tensor)
      await compare('output.cutoff_accum_count', int(found['policy/count'] as Tensor))
      if (c.policy === 'topk' && !c.routing_chunk_seqs)
        await compare('output.cutoffs', found['policy/total'] as Tensor)
      if (c.policy !== 'threshold' || c.capacity_factor < 0) continue
      const { k_min, k_max } = entry.config as { k_min: number; k_max: number }
      const above = v.get('output.above_counts')
      const want = Float32Array.from(above.data, (n) => (n < k_min || n > k_max ? 1 : 0))
      await probe.compare('clamped', probe.present('clamped', found.clamped), tensor(want), EXACT)
    } finally {
      await gate.release(probe.backend)
    }
  }
}

/** B3: steps of micro-batches, and the average they make. */
export async function checkAverage(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const c = scriptOf(entry)
  const policy = resolvePolicy(policyOf(c), c.E)
  const runner = policyRunner(probe.backend, policy)
  const logits = v.get('input.logits')
  const near = (name: string, got: Tensor, want: Tensor) => probe.compare(name, got, want, v.tolerance(name))
  let state = initialPolicyState(policy)
  let updates = 0
  for (let s = 0; s < c.S; s++) {
    const before = state
    for (let m = 0; m < c.M; m++) {
      const batch = sliceAt(sliceAt(logits, s), m)
      const one = { ...batch, shape: [1, ...batch.shape] }
      const decided = await runner.decide(state, one, { training: true })
      state = decided.state
      if (m === 0)
        await near('output.cutoffs', state.total as Tensor, sliceAt(sliceAt(v.get('output.cutoffs'), s), 0))
      if (c.policy !== 'threshold') continue
      const running = (state.total as Tensor).data.map((t: number) => t / (m + 1))
      await near(
        'output.cutoffs_for_metrics',
        float(running),
        sliceAt(sliceAt(v.get('output.cutoffs_for_metrics'), s), m),
      )
    }
    state = await runner.settle(state)
    if (s >= c.ema_start) updates++
    await probe.compare('updates', int(float([updates], [])), sliceAt(v.get('output.updates'), s), EXACT)
    await near('output.ema_raw', state.cutoff as Tensor, sliceAt(v.get('output.ema_raw'), s))
    await near(
      'output.ema_effective',
      float(cutoffsOf(policy, state)),
      sliceAt(v.get('output.ema_effective'), s),
    )
    if (c.M > 1) continue
    const adapted = adapt(policy, before, sliceAt(sliceAt(logits, s), 0))
    await near(
      'output.ema_effective',
      float(cutoffsOf(policy, adapted)),
      sliceAt(v.get('output.ema_effective'), s),
    )
  }
}

/** B6: experts of each token, their weights, the balance loss, the loss-free bias. */
export async function checkTokenChoice(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const c = scriptOf(entry)
  const gate = createSparseGate({ dim: c.d, experts: c.E, bias: false, select: tokenChoice(c) })
  const params = { 'W.weight': v.get('param.router.weight') }
  const bias = optional(v, 'param.router_bias')
  const state = { ...gate.initialState(), ...(bias ? { bias } : {}) }
  const compare = comparing(v, probe)
  const found = await routeInTraining(probe.backend, gate, params, state, v.get('input.x'))
  await compare('output.router_logits', found.logits as Tensor)
  const indices = found.indices as Tensor
  await compare('output.expert_idxs', indices)
  const weights = (found.weights as Tensor).data
  const gates = Float32Array.from(
    indices.data,
    (e, i) => weights[Math.floor(i / c.top_k) * c.E + e] as number,
  )
  await compare('output.gates', tensor(gates))
  if (found.penalty) await compare('output.aux_loss', found.penalty)
  if (!bias) return
  await compare('output.bias_counts', found['policy/taken'] as Tensor)
  const runner = policyRunner(probe.backend, gate.policy)
  const settled = await runner.settle(stateOf(found, state))
  runner.dispose()
  await compare('output.router_bias_after', settled.bias as Tensor)
}

/** B7: the loss-free bias over steps of micro-batches. */
export async function checkBias(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const c = scriptOf(entry)
  const gate = createSparseGate({
    dim: c.d,
    experts: c.E,
    bias: false,
    select: { kind: 'token-choice', k: c.top_k, biasRate: c.deepseek_bias_lr },
  })
  const params = { 'W.weight': v.get('param.router.weight') }
  const runner = policyRunner(probe.backend, gate.policy)
  let state = gate.initialState()
  for (let s = 0; s < c.S; s++) {
    for (let m = 0; m < c.M; m++) {
      const x = sliceAt(sliceAt(v.get('input.x'), s), m)
      const found = await routeInTraining(probe.backend, gate, params, state, x)
      const want = sliceAt(sliceAt(v.get('output.expert_idxs'), s), m)
      await probe.compare('output.expert_idxs', shaped(found.indices as Tensor, want.shape), want)
      state = stateOf(found, state)
    }
    await probe.compare('output.counts', state.taken as Tensor, sliceAt(v.get('output.counts'), s))
    state = await runner.settle(state)
    const name = 'output.router_bias'
    await probe.compare(name, state.bias as Tensor, sliceAt(v.get(name), s), v.tolerance(name))
  }
  runner.dispose()
}

/** S4: cosines with prototypes, thresholds that move towards mean − std. */
export async function checkCosine(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const c = scriptOf(entry)
  const x = v.get('input.x')
  const experts = c.E
  const gate = createSparseGate({
    dim: c.D,
    experts,
    select: { kind: 'cosine-threshold', decay: c.decay, weights: 'binary' },
  })
  const params = { expert_prototypes: v.get('param.expert_prototypes') }
  const first = optional(v, 'input.thresholds0') ?? float(new Array<number>(experts).fill(c.threshold0))
  let state: PolicyState = { ...gate.initialState(), cutoff: first }
  const near = (name: string, got: Tensor, s: number) => {
    if (!v.names('').includes(name)) return Promise.resolve()
    const want = sliceAt(v.get(name), s)
    return probe.compare(name, shaped(got, want.shape), want, v.tolerance(name))
  }
  const runner = policyRunner(probe.backend, gate.policy)
  for (let s = 0; s < (x.shape[0] as number); s++) {
    const found = await routeInTraining(probe.backend, gate, params, state, sliceAt(x, s))
    await near('output.scores', found.logits as Tensor, s)
    await near('output.loads', int(found.load as Tensor), s)
    state = await runner.settle(stateOf(found, state))
    if ((found.logits as Tensor).data.length === experts) {
      // The script's standard deviation of one token is NaN, and its thresholds are for ever; here nothing is learned.
      if (s === 0) await near('output.routing', int(found.mask as Tensor), s)
      await probe.compare('thresholds', state.cutoff as Tensor, first, EXACT)
      continue
    }
    await near('output.routing', int(found.mask as Tensor), s)
    await near('output.thresholds', state.cutoff as Tensor, s)
  }
  runner.dispose()
}

/** S4.init: thresholds from calibration scores, at their median. */
export async function checkCalibration(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const { E, quantile } = entry.config as { E: number; quantile: number }
  const compare = comparing(v, probe)
  const thresholds = calibrate(v.get('input.calibration'), 1 - quantile)
  await compare('output.thresholds', float(thresholds))
  const policy = resolvePolicy({ kind: 'cosine-threshold' }, E)
  const state = { ...initialPolicyState(policy), cutoff: float(thresholds) }
  const scores = v.get('input.scores')
  const one = { ...scores, shape: [1, ...scores.shape] }
  const runner = policyRunner(probe.backend, policy)
  const { results } = await runner.decide(state, one)
  runner.dispose()
  await compare('output.routing', int(results.mask as Tensor))
  await compare('output.loads', int(results.load as Tensor))
}
