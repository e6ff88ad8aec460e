/** A policy as an expression: what it decides for a batch, and what an optimizer step makes of its state. */
import { FepError } from '../errors.js'
import type { Value } from '../graph/builder.js'
import { averageOnce } from './average.js'
import type { ResolvedPolicy } from './config.js'
import { byCosine } from './cosine.js'
import type { Decision, PolicyOperands } from './decision.js'
import { atRandom, byHash } from './fixed.js'
import { byExpertChoice, byThreshold } from './threshold.js'
import { byTokenChoice, settleBias } from './token-choice.js'

/**
 * Emits a decision. Nothing but `weights`, `shared` and `losses` has a gradient.
 * @throws FEP_BAD_GRAPH where a policy must know the number of tokens and the batch is symbolic; FEP_TOO_FEW_TOKENS;
 * FEP_BAD_FEED where the batch is no multiple of the pool
 */
export function decide(policy: ResolvedPolicy, operands: PolicyOperands): Decision {
  switch (policy.kind) {
    case 'threshold':
      return byThreshold(policy, operands)
    case 'expert-choice':
      return byExpertChoice(policy, operands)
    case 'cosine-threshold':
      return byCosine(policy, operands)
    case 'token-choice':
      return byTokenChoice(policy, operands)
    case 'random':
      return atRandom(policy, operands)
    case 'hash':
      return byHash(policy, operands)
  }
}

/**
 * One update of the state after an optimizer step, from what its micro-batches accumulated.
 * @param state every part that `policyStates` names
 */
export function settle(
  policy: ResolvedPolicy,
  state: Readonly<Record<string, Value>>,
): Readonly<Record<string, Value>> {
  switch (policy.kind) {
    case 'threshold':
    case 'expert-choice':
    case 'cosine-threshold':
      return averageOnce(state, policy)
    case 'token-choice':
      return policy.biasRate > 0 ? settleBias(policy, state) : state
    default:
      return state
  }
}

/** @throws FEP_UNSUPPORTED where a decision takes more than the token and what came before it */
export function requireStreaming(policy: ResolvedPolicy): void {
  if (promisesOf(policy).causal && policy.kind !== 'random' && policy.kind !== 'hash') return
  const across = 'weights' in policy && policy.weights === 'softmax-tokens'
  throw new FepError(
    'FEP_UNSUPPORTED',
    `a gate with select.kind '${policy.kind}' decides on more than the token it is given${
      across ? " (weights 'softmax-tokens')" : ''
    }: it has no streaming form`,
  )
}

/** What can be said of a policy before it runs. */
export interface PolicyPromises {
  /** No decision depends on a later token. */
  readonly causal: boolean
  /** No decision depends on the other sequences of a batch. */
  readonly batchInvariant: boolean
  /** In training it must know the number of tokens: the batch cannot stay symbolic. */
  readonly boundInTraining: boolean
  /** The same in evaluation. */
  readonly bound: boolean
}

/** See {@link PolicyPromises}; about evaluation. */
export function promisesOf(policy: ResolvedPolicy): PolicyPromises {
  const acrossTokens = 'weights' in policy && policy.weights === 'softmax-tokens'
  const bound = policy.kind === 'expert-choice'
  const alone = !bound && !acrossTokens
  const capacity = policy.kind === 'token-choice' && policy.capacity !== null
  return {
    causal: alone,
    batchInvariant: alone || (policy.kind === 'expert-choice' && policy.pool === 1 && !acrossTokens),
    boundInTraining: bound || policy.kind === 'threshold' || capacity,
    bound,
  }
}
