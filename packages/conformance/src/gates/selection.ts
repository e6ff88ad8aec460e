/** Selection worked out from the logits that the same call returned: ranks, weights, and the margin to the first one left out. */
import { NO_CONTENDER, type SelectConfig, type Tensor } from '@fep-moe/core'
import { EXACT, type ProcedureCase, type Tolerance } from '../frame/case.js'
import { f, i } from '../frame/data.js'
import type { Probe } from '../frame/probe.js'
import { gateCase, sceneOf } from './case.js'

const EXPERTS = 4
/** An exponential, a sum and a division per weight. */
const TOLERANCE: Tolerance = { atol: 1e-6, rtol: 4e-6 }

/** Policies that rank logits. */
type Ranking = Exclude<SelectConfig, { readonly kind: 'spike' }>

/** What selection makes of the logits of one token. */
function select(logits: readonly number[], config: Ranking) {
  const k = config.kind === 'dense' ? 1 : config.k
  const ranked = logits
    .map((_, e) => e)
    .sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b)
  const chosen = ranked.slice(0, k)
  const at = (rank: number) => Math.fround(logits[ranked[rank] as number] as number)
  const everyone = config.kind === 'dense' || config.softmax === 'before'
  const powers = logits.map((z, e) => (everyone || chosen.includes(e) ? Math.exp(z - at(0)) : 0))
  const total = powers.reduce((a, b) => a + b, 0)
  const scale = config.kind === 'top-k' ? (config.scale ?? 1) : 1
  const kept = (e: number) => config.kind === 'dense' || chosen.includes(e)
  return {
    indices: chosen,
    margin: k < logits.length ? Math.fround(at(k - 1) - at(k)) : NO_CONTENDER,
    weights: powers.map((p, e) => (kept(e) ? (scale * p) / total : 0)),
  }
}

async function checkSelection(probe: Probe, config: Ranking): Promise<void> {
  const size = { dim: 5, experts: EXPERTS, memory: { kind: 'leaky' }, select: config } as const
  const { gate, params, x } = sceneOf(size, { batch: 3, steps: 4, seed: 67 })
  try {
    const { logits, weights, indices, margin } = await gate.route(probe.backend, params, x)
    const tokens = Array.from({ length: 12 }, (_, n) =>
      select([...logits.data.slice(n * EXPERTS, (n + 1) * EXPERTS)], config),
    )
    const like = (t: Tensor, values: readonly number[]) =>
      t.dtype === 'int32' ? i([...values], t.shape) : f([...values], t.shape)
    const all = <K extends 'indices' | 'weights'>(name: K) => tokens.flatMap((token) => token[name])
    await probe.compare('indices', indices, like(indices, all('indices')))
    await probe.compare('weights', weights, like(weights, all('weights')))
    const margins = like(
      margin,
      tokens.map((token) => token.margin),
    )
    await probe.compare('margin', margin, margins, EXACT)
  } finally {
    await gate.release(probe.backend)
  }
}

const POLICIES: readonly Ranking[] = [
  { kind: 'dense' },
  ...[1, 2, 3, EXPERTS].flatMap((k) =>
    (['before', 'after'] as const).map((softmax) => ({ kind: 'top-k', k, softmax }) as const),
  ),
]

/** A case per policy. */
export const selection = (): ProcedureCase[] =>
  POLICIES.map((policy) =>
    gateCase(
      policy.kind === 'dense' ? 'selection/dense' : `selection/top-${policy.k}-softmax-${policy.softmax}`,
      67,
      TOLERANCE,
      'ranks, weights and margin from the logits of the same call',
      (probe) => checkSelection(probe, policy),
    ),
  )
