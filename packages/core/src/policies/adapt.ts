/** Cutoffs on the host, in doubles: one update from a serving batch, calibration from logged logits, starvation. */
import { FepError, show } from '../errors.js'
import { countOf } from '../graph/shape.js'
import type { Tensor } from '../tensor.js'
import type { PolicyOf, ResolvedPolicy } from './config.js'
import { requireTokensPerExpert } from './share.js'
import { checkPolicyState, cutoffsOf, type PolicyState } from './state.js'

type WithCutoffs = PolicyOf<'threshold'> | PolicyOf<'expert-choice'> | PolicyOf<'cosine-threshold'>

function requireCutoffs(policy: ResolvedPolicy): asserts policy is WithCutoffs {
  if (policy.kind !== 'threshold' && policy.kind !== 'expert-choice' && policy.kind !== 'cosine-threshold')
    throw new FepError(
      'FEP_UNSUPPORTED',
      `'${policy.kind}' has no cutoffs; accepted: 'threshold', 'expert-choice', 'cosine-threshold'`,
    )
}

/** Logits of each expert, padding left out. @throws FEP_BAD_FEED */
function columns(logits: Tensor, experts: number, valid?: Tensor): Float64Array[] {
  const rows = logits?.data?.length / experts
  if (
    logits?.dtype !== 'float32' ||
    logits.shape?.at(-1) !== experts ||
    countOf(logits.shape) !== logits.data.length
  )
    throw new FepError(
      'FEP_BAD_FEED',
      `logits are ${logits?.dtype ?? typeof logits}(${logits?.shape?.join(', ') ?? ''}); expected float32(…, ${experts})`,
    )
  if (valid && (valid.dtype !== 'bool' || valid.data.length !== rows))
    throw new FepError(
      'FEP_BAD_FEED',
      `'valid' is ${valid.dtype} with ${valid.data.length} elements; expected bool, one per token: ${rows}`,
    )
  const kept = Array.from({ length: rows }, (_, n) => n).filter((n) => !valid || valid.data[n])
  return Array.from({ length: experts }, (_, e) =>
    Float64Array.from(kept, (n) => logits.data[n * experts + e] as number),
  )
}

/** What a batch says an expert's cutoff is: the k-th largest, or mean − std; undefined where it says nothing. */
function cutoffOf(policy: WithCutoffs, scores: Float64Array): number | undefined {
  const n = scores.length
  if (policy.kind !== 'cosine-threshold') return scores.slice().sort()[n - requireTokensPerExpert(policy, n)]
  if (n < 2) return undefined
  const mean = scores.reduce((a, b) => a + b, 0) / n
  return mean - Math.sqrt(scores.reduce((a, b) => a + (b - mean) ** 2, 0) / (n - 1))
}

/** Options of {@link adapt}. */
export interface AdaptOptions {
  /** bool, one per token: false for padding. */
  readonly valid?: Tensor
  /** Decay of this update, in [0, 1). Default: the policy's. */
  readonly decay?: number
}

/**
 * Makes one update of the averaged cutoffs from the logits of a batch, as an optimizer step does; serving changes no state
 * unless this is called. Experts that got no token wait one update longer, and are revived where the policy says so.
 * @param logits (…,E) float32, as routing returned them
 * @returns the new state; what training has accumulated is left alone
 * @throws FEP_UNSUPPORTED for a policy without cutoffs; FEP_TOO_FEW_TOKENS; FEP_BAD_FEED; FEP_BAD_ARGUMENT
 * @example
 * const { logits } = await gate.route(backend, params, state, x)
 * state = adapt(gate.policy, state, logits)
 */
export function adapt(
  policy: ResolvedPolicy,
  state: PolicyState,
  logits: Tensor,
  options: AdaptOptions = {},
): PolicyState {
  requireCutoffs(policy)
  checkPolicyState(policy, state)
  const { decay = policy.decay } = options
  if (!(decay >= 0 && decay < 1))
    throw new FepError('FEP_BAD_ARGUMENT', `adapt: decay is ${show(decay)}; accepted: a number in [0, 1)`)
  const scores = columns(logits, policy.experts, options.valid)
  const inForce = cutoffsOf(policy, state)
  const seen = scores.map((column) => cutoffOf(policy, column))
  if (seen.some((c) => c === undefined)) return state
  const strict = policy.kind !== 'expert-choice' && policy.comparison === '>'
  const idle = updateIdle(
    (state.idle as Tensor).data,
    scores.map(
      (column, e) =>
        column.filter((z) => (strict ? z > (inForce[e] as number) : z >= (inForce[e] as number))).length,
    ),
  )
  const before = state.correction?.data[0] as number | undefined
  const correction = before === undefined ? 1 : decay * before + (1 - decay)
  const revived =
    'reviveAfter' in policy && policy.reviveAfter !== null ? starving(idle, policy.reviveAfter) : []
  const cutoff = Float32Array.from(seen as number[], (now, e) => {
    const averaged = decay * ((state.cutoff as Tensor).data[e] as number) + (1 - decay) * now
    return revived.includes(e) ? Math.min(averaged, now * correction) : averaged
  })
  return {
    ...state,
    cutoff: { ...(state.cutoff as Tensor), data: cutoff },
    idle: { ...(state.idle as Tensor), data: Float32Array.from(idle) },
    ...(before === undefined
      ? {}
      : { correction: { ...(state.correction as Tensor), data: Float32Array.of(correction) } }),
  }
}

/**
 * Cutoffs that would have given each expert a load on logged logits: the quantile 1 − load of its scores, halfway between
 * the last that it takes and the first that it leaves.
 * @param logits (…,E) float32
 * @param load share of tokens in (0, 1], one number or one per expert
 * @throws FEP_BAD_ARGUMENT, FEP_BAD_FEED
 */
export function calibrate(
  logits: Tensor,
  load: number | readonly number[],
  options: { readonly valid?: Tensor } = {},
): number[] {
  const experts = logits?.shape?.at(-1) ?? 0
  const scores = columns(logits, experts, options.valid)
  const loads = typeof load === 'number' ? new Array<number>(experts).fill(load) : load
  if (loads.length !== experts || loads.some((l) => !(l > 0 && l <= 1)))
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `calibrate: load is ${show(load)}; accepted: a number in (0, 1], or ${experts} of them`,
    )
  if (scores.some((column) => column.length === 0))
    throw new FepError('FEP_BAD_ARGUMENT', 'calibrate: there is no token that is not padding')
  return scores.map((column, e) => quantile(column.sort(), 1 - (loads[e] as number)))
}

/** Between neighbors in proportion, as numpy.quantile and torch.quantile do it. */
function quantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number]
  return low + (high - low) * (at - Math.floor(at))
}

/**
 * The state with these cutoffs in force, as settled as a long training would have left them.
 * @throws FEP_UNSUPPORTED for a policy without cutoffs; FEP_BAD_ARGUMENT for another number of them
 * @example
 * const state = withCutoffs(gate.policy, gate.initialState(), calibrate(logits, targetShare(policy)))
 */
export function withCutoffs(
  policy: ResolvedPolicy,
  state: PolicyState,
  cutoffs: readonly number[],
): PolicyState {
  requireCutoffs(policy)
  checkPolicyState(policy, state)
  if (cutoffs.length !== policy.experts || !cutoffs.every(Number.isFinite))
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `cutoffs are ${show(cutoffs)}; accepted: ${policy.experts} finite numbers`,
    )
  return {
    ...state,
    cutoff: { ...(state.cutoff as Tensor), data: Float32Array.from(cutoffs) },
    ...(state.correction ? { correction: { ...state.correction, data: Float32Array.of(1) } } : {}),
  }
}

/** Updates since each expert last had a token, from the loads of one more. */
export const updateIdle = (idle: ArrayLike<number>, load: ArrayLike<number>): number[] =>
  Array.from(idle, (n, e) => ((load[e] as number) > 0 ? 0 : n + 1))

/**
 * Experts that had no token for `updates` updates.
 * @param idle updates since each expert last had one: `state.idle.data`, or what {@link updateIdle} returns
 */
export const starving = (idle: ArrayLike<number>, updates: number): number[] =>
  Array.from(idle, (_, e) => e).filter((e) => (idle[e] as number) >= updates)
