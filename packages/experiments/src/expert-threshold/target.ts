/** The share of tokens that a policy means an expert to take. */
import { FepError } from '@fep-moe/core'
import { type ResolvedPolicy, targetShare } from '@fep-moe/core/policies'

/** @throws FEP_UNSUPPORTED for a policy that means nothing of the kind */
export function shareOf(policy: ResolvedPolicy): number {
  switch (policy.kind) {
    case 'threshold':
    case 'expert-choice':
      return targetShare(policy)
    case 'token-choice':
      return policy.k / policy.experts
    default:
      throw new FepError(
        'FEP_UNSUPPORTED',
        `'${policy.kind}' has no target; accepted: 'threshold', 'expert-choice', 'token-choice'`,
      )
  }
}
