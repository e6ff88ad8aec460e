/** What a policy carries from step to step: named float32 tensors, explicit, JSON-able, never changed in evaluation. */
import { FepError } from '../errors.js'
import { full, type Tensor } from '../tensor.js'
import type { ResolvedPolicy } from './config.js'

/** State of a policy by name; the names are those of {@link policyStates}. */
export type PolicyState = Readonly<Record<string, Tensor>>

/** One part of a policy's state. */
export interface PolicyStateSpec {
  readonly name: string
  /** (E), or a scalar. */
  readonly shape: readonly number[]
  /** False: training alone needs it. */
  readonly frozen: boolean
}

/**
 * Parts of a policy's state, all 0 at the start.
 * - `cutoff` (E): average of cutoffs, biased towards 0 (`threshold`, `expert-choice`), or c itself (`cosine-threshold`).
 * - `correction`: average of ones with the same decay, by which it is divided.
 * - `steps`: optimizer steps so far. `idle` (E): steps since the expert last had a token.
 * - `total` (E), `count`, `taken` (E): accumulators since the last step: cutoffs, micro-batches, tokens.
 * - `bias` (E): loss-free bias (`token-choice` with `biasRate` > 0).
 */
export function policyStates(policy: ResolvedPolicy): readonly PolicyStateSpec[] {
  const perExpert = [policy.experts]
  const spec = (name: string, shape: readonly number[] = perExpert, frozen = false) => ({
    name,
    shape,
    frozen,
  })
  const accumulators = [spec('steps', []), spec('idle'), spec('total'), spec('count', []), spec('taken')]
  switch (policy.kind) {
    case 'threshold':
    case 'expert-choice':
      return [
        spec('cutoff', perExpert, policy.kind === 'threshold'),
        spec('correction', [], policy.kind === 'threshold'),
        ...accumulators,
      ]
    case 'cosine-threshold':
      return [spec('cutoff', perExpert, true), ...accumulators]
    case 'token-choice':
      return policy.biasRate > 0 ? [spec('bias', perExpert, true), spec('count', []), spec('taken')] : []
    default:
      return []
  }
}

/** Parts that evaluation needs. */
export const frozenStates = (policy: ResolvedPolicy): readonly PolicyStateSpec[] =>
  policyStates(policy).filter(({ frozen }) => frozen)

/** The state before anything was seen. */
export const initialPolicyState = (policy: ResolvedPolicy): PolicyState =>
  Object.fromEntries(policyStates(policy).map(({ name, shape }) => [name, full(shape, 0)]))

/** @throws FEP_BAD_FEED unless names, dtypes and shapes are those of the policy's state */
export function checkPolicyState(policy: ResolvedPolicy, state: PolicyState): void {
  const specs = policyStates(policy)
  for (const { name, shape } of specs) {
    const t = state?.[name]
    const length = shape.reduce((n, d) => n * d, 1)
    if (t?.dtype !== 'float32' || t.shape?.join() !== shape.join() || t.data?.length !== length)
      throw new FepError(
        'FEP_BAD_FEED',
        `policy state '${name}' is ${t ? `${t.dtype}(${t.shape?.join(', ')})` : 'missing'}; expected float32(${shape.join(', ')})`,
      )
  }
  for (const name of Object.keys(state))
    if (!specs.some((s) => s.name === name))
      throw new FepError(
        'FEP_BAD_FEED',
        `policy state '${name}' is unknown; '${policy.kind}' has ${specs.map((s) => s.name).join(', ') || 'none'}`,
      )
}

/**
 * The cutoffs that decide, c = raw average / correction, as doubles; the raw average where nothing was averaged yet.
 * @throws FEP_UNSUPPORTED where the policy has none
 */
export function cutoffsOf(policy: ResolvedPolicy, state: PolicyState): number[] {
  const raw = state.cutoff
  if (!raw)
    throw new FepError(
      'FEP_UNSUPPORTED',
      `'${policy.kind}' has no cutoffs; accepted: a policy with thresholds`,
    )
  const correction = (state.correction?.data[0] as number | undefined) ?? 1
  return Array.from(raw.data, (c) => (correction > 0 ? c / correction : c))
}
