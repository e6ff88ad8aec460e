/** Golden cases of functions that need no executor: trackers, K for coverage, metrics; and the one-step routers. */
import {
  accuracy,
  createGate,
  entropy,
  expertsForCoverage,
  gateMass,
  gradients,
  missRates,
  precisionTracker,
  type Tensor,
} from '@fep-moe/core'
import { lossGraph, resolveLoss } from '@fep-moe/core/training'
import { EXACT } from '../frame/case.js'
import type { Probe } from '../frame/probe.js'
import { openVectors, type VectorEntry } from './vectors.js'

const like = (t: Tensor, values: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape: t.shape,
  data: Float64Array.from(values),
})

/** Trackers: a row after every update. */
export async function checkTracker(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const c = entry.config as Record<string, number>
  const byTargets = entry.id.startsWith('A1.')
  const tracker = precisionTracker({
    experts: c.E as number,
    momentum: (c.pi_momentum ?? c.momentum) as number,
    epsilon: (c.pi_eps ?? c.eps) as number,
    initialVariance: (c.pi_var0 ?? c.var0) as number,
  })
  const rows = v.get(byTargets ? 'input.targets' : 'input.errors')
  const width = rows.shape[1] as number
  let state = tracker.init()
  const [variances, precisions] = [[] as number[], [] as number[]]
  for (let s = 0; s < (rows.shape[0] as number); s++) {
    const row = rows.data.subarray(s * width, (s + 1) * width)
    state = tracker.update(state, byTargets ? missRates(row, c.E as number) : row)
    variances.push(...state.variance)
    precisions.push(...tracker.precision(state).data)
  }
  const precision = byTargets ? 'output.pi' : 'output.precision'
  await probe.compare(
    'var',
    like(v.get('output.var'), variances),
    v.get('output.var'),
    v.tolerance('output.var'),
  )
  await probe.compare(
    'precision',
    like(v.get(precision), precisions),
    v.get(precision),
    v.tolerance(precision),
  )
}

/** K(99 %), in doubles. */
export async function checkCoverage(entry: VectorEntry, probe: Probe): Promise<void> {
  const { p_exact, k_double } = entry.config as {
    p_exact: number[]
    k_double: Record<string, (number | 'inf')[]>
  }
  const number = (k: number | 'inf') => (k === 'inf' ? Number.POSITIVE_INFINITY : k)
  const caps = { k99_cap4: 4, k99_cap8: 8, k99_uncapped: Number.POSITIVE_INFINITY }
  for (const [name, cap] of Object.entries(caps)) {
    const want = (k_double[name] as (number | 'inf')[]).map(number)
    const got = p_exact.map((p) => expertsForCoverage(p, { cap }))
    const shape = [want.length]
    await probe.compare(
      name,
      { dtype: 'float32', shape, data: Float64Array.from(got) },
      { dtype: 'float32', shape, data: Float64Array.from(want) },
      { atol: 0, rtol: 1e-12 },
    )
  }
}

/** Metrics of one batch. */
export async function checkMetrics(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const [gates, targets] = [v.get('input.gates'), v.get('input.targets')]
  const mass = gateMass(gates, targets)
  const found = { p_correct: mass, entropy: entropy(gates), acc: accuracy(gates, targets), waste: 1 - mass }
  for (const [name, value] of Object.entries(found)) {
    const want = v.get(`output.${name}`)
    await probe.compare(name, like(want, [value]), want, v.tolerance(`output.${name}`))
  }
}

/** Affinity and precision routers on single tokens: the same weights, with and without Π. */
export async function checkRouters(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const { D, E } = entry.config as { D: number; E: number }
  const tokens = v.get('input.x')
  const targets = v.get('input.targets')
  const batch = tokens.shape[0] as number
  const x = { ...tokens, shape: [batch, 1, D] }
  const params = { 'W.weight': v.get('param.W.weight'), 'W.bias': v.get('param.W.bias') }
  for (const variant of ['affinity', 'precision'] as const) {
    const gate = createGate(
      variant === 'precision' ? { dim: D, experts: E, precision: { kind: 'gain' } } : { dim: D, experts: E },
    )
    const pi = variant === 'precision' ? { precision: v.get('input.pi') } : {}
    const { weights, indices } = await gate.route(probe.backend, params, x, pi)
    const name = `output.${variant}_gates`
    await probe.compare(name, { ...weights, shape: [batch, E] }, v.get(name), v.tolerance(name))
    await probe.compare(
      'indices',
      indices,
      { ...indices, data: Int32Array.from(argmaxRows(v.get(name))) },
      EXACT,
    )
    const graph = lossGraph(gate.config, { steps: 1, loss: resolveLoss(gate.config) })
    const program = await probe.backend.compile(gradients(graph, { of: 'loss', wrt: Object.keys(params) }))
    const fetched = await program.run({ ...params, ...pi, x, targets: { ...targets, shape: [batch, 1] } })
    const loss = `output.${variant}_loss`
    await probe.compare(
      loss,
      like(v.get(loss), [(await probe.present('loss', fetched.loss).read())[0] as number]),
      v.get(loss),
      v.tolerance(loss),
    )
    for (const key of Object.keys(params)) {
      const grad = `grad.${variant}.${key}`
      const g = probe.present(`grad/${key}`, fetched[`grad/${key}`])
      await probe.compare(grad, g, v.get(grad), v.tolerance(grad))
    }
    program.dispose()
    await gate.release(probe.backend)
  }
}

function argmaxRows(t: Tensor): number[] {
  const [rows, width] = t.shape as [number, number]
  return Array.from({ length: rows }, (_, r) => {
    const row = Array.from(t.data.subarray(r * width, (r + 1) * width))
    return row.indexOf(Math.max(...row))
  })
}
