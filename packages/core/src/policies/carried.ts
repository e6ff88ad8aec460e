/** The state of a policy as a trainer carries it beside the parameters. */
import { FepError } from '../errors.js'
import type { Value } from '../graph/builder.js'
import type { Tensor } from '../tensor.js'
import type { CarriedState } from '../training/graphs.js'
import type { HeldResults } from '../training/step-result.js'
import type { ResolvedPolicy } from './config.js'
import { checkIds } from './fixed.js'
import { POLICY } from './gate-graphs.js'
import { settle } from './policy.js'
import { checkPools } from './pools.js'
import { checkPolicyState, frozenStates, type PolicyState } from './state.js'

const renamed = <T>(values: Readonly<Record<string, T>>, rename: (name: string) => string) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [rename(name), value]))
const feedName = (name: string) => POLICY + name
const bareName = (name: string) => name.slice(POLICY.length)

/** What a trainer is told of a policy's state. @throws FEP_BAD_FEED */
export function carriedPolicy(policy: ResolvedPolicy, state: PolicyState): CarriedState {
  checkPolicyState(policy, state)
  return {
    initial: renamed(state, feedName),
    settle: (values) => renamed<Value>(settle(policy, renamed<Value>(values, bareName)), feedName),
  }
}

/** The state out of what a trainer carried. */
export const policyStateFrom = (carried: Readonly<Record<string, Tensor>>): PolicyState =>
  renamed(carried, bareName)

/** What a graph needs of the state in evaluation, as feeds. */
export const frozenFeeds = (policy: ResolvedPolicy, state: PolicyState): Record<string, Tensor> =>
  Object.fromEntries(frozenStates(policy).map(({ name }) => [feedName(name), state[name] as Tensor]))

/** What a training step says of each expert, read when it is asked for; zeros where the policy never drops, or never clamps. */
export function readsPerExpert(policy: ResolvedPolicy, results: HeldResults) {
  const each = async (name: string): Promise<readonly number[]> => Array.from((await results.read(name)).data)
  const eachIf = async (there: boolean, name: string) =>
    there ? each(name) : new Array<number>(policy.experts).fill(0)
  const capped = 'capacity' in policy && policy.capacity !== null
  return {
    eachIf,
    load: () => each('load'),
    dropped: () => eachIf(capped && policy.kind === 'token-choice', 'dropped'),
    clamped: () => eachIf(capped && policy.kind === 'threshold', 'clamped'),
  }
}

/** What a policy decides on beside logits. */
export interface PolicyInputs {
  /** bool (B,T): false for padding, which goes to no expert and counts nowhere. Default: all tokens are real. */
  readonly valid?: Tensor
  /** Uniform numbers (B,T,E), for `random` and for nothing else. */
  readonly uniform?: Tensor
  /** int32 token ids (B,T), for `hash` and for nothing else. */
  readonly ids?: Tensor
}

/** These as feeds. @throws FEP_BAD_FEED for one that the policy has no use for, or lacks */
export function policyFeeds(
  policy: ResolvedPolicy,
  { uniform, ids, valid }: PolicyInputs,
): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = valid ? { valid } : {}
  for (const [name, value, kind] of [
    ['uniform', uniform, 'random'],
    ['ids', ids, 'hash'],
  ] as const) {
    if ((value !== undefined) !== (policy.kind === kind))
      throw new FepError(
        'FEP_BAD_FEED',
        `'${name}' is for policies of kind '${kind}'; this one is '${policy.kind}'`,
      )
    if (value) feeds[name] = value
    if (value && policy.kind === 'hash') checkIds(policy, value)
  }
  return feeds
}

/** @throws FEP_TOO_FEW_TOKENS where a pool leaves an expert none; FEP_BAD_FEED for a mask of another shape */
export function checkShares(
  policy: ResolvedPolicy,
  tokens: readonly [number, number],
  valid: Tensor | undefined,
  training: boolean,
): void {
  if (policy.kind === 'expert-choice') checkPools(policy, tokens, valid, policy.pool)
  else if (policy.kind === 'threshold' && training) checkPools(policy, tokens, valid, null)
}
