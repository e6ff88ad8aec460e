/** How many tokens an expert is meant to take. */
import { FepError } from '../errors.js'
import type { ResolvedShare } from './config.js'

/** The share of tokens that an expert is meant to take: 1/X, or (G − 1)/(G X) beside a shared expert. */
export function targetShare({ granularity, expansion, sharedExpert }: ResolvedShare): number {
  return sharedExpert ? (granularity - 1) / (granularity * expansion) : 1 / expansion
}

/** k = ⌊N / X⌋, or ⌊N (G − 1) / (G X)⌋ beside a shared expert, in integers. */
export function tokensPerExpert(
  { granularity, expansion, sharedExpert }: ResolvedShare,
  tokens: number,
): number {
  return sharedExpert
    ? Math.floor((tokens * (granularity - 1)) / (granularity * expansion))
    : Math.floor(tokens / expansion)
}

/**
 * k, where there must be one.
 * @throws FEP_TOO_FEW_TOKENS where fewer tokens than the expansion leave an expert none
 */
export function requireTokensPerExpert(share: ResolvedShare, tokens: number): number {
  const k = tokensPerExpert(share, tokens)
  if (k > 0) return k
  const least = Math.ceil(1 / targetShare(share))
  throw new FepError(
    'FEP_TOO_FEW_TOKENS',
    `${tokens} tokens leave an expert ⌊${tokens} · ${targetShare(share)}⌋ = 0 of them; accepted: ${least} or more that are not padding`,
  )
}
