/**
 * How many rows a layer computes. Shapes are fixed, but how many pairs a threshold lets through is data: such a layer is
 * compiled for a rung of a ladder, reports how many pairs there were, and runs again on a higher rung where they did not fit.
 */
import type { ResolvedPolicy } from '../policies/config.js'
import { targetShare, tokensPerExpert } from '../policies/share.js'

/** What bounds the number of pairs of N = B · T tokens. */
export type RowBound =
  /** Exactly k per token. */
  | { readonly kind: 'fixed'; readonly k: number }
  /** Never more than this. */
  | { readonly kind: 'bounded'; readonly most: number }
  /** Anything up to `most`; `expected` of them. */
  | { readonly kind: 'open'; readonly expected: number; readonly most: number }

/** Says what bounds a policy's pairs. */
export function rowBound(
  policy: ResolvedPolicy,
  { batch, steps, training }: { readonly batch: number; readonly steps: number; readonly training: boolean },
): RowBound {
  const { experts } = policy
  const tokens = batch * steps
  const all = experts * tokens
  switch (policy.kind) {
    case 'expert-choice': {
      const pool = policy.pool ?? batch
      const pools = Math.ceil(batch / pool)
      return { kind: 'bounded', most: experts * pools * tokensPerExpert(policy, pool * steps) }
    }
    case 'threshold': {
      const k = tokensPerExpert(policy, tokens)
      if (training && policy.capacity !== null)
        return {
          kind: 'bounded',
          most: experts * Math.min(Math.max(k, Math.trunc(k * (1 + policy.capacity))), tokens),
        }
      return { kind: 'open', expected: 1.25 * targetShare(policy) * all, most: all }
    }
    case 'cosine-threshold':
      // Its fixed point is a load of .84.
      return { kind: 'open', expected: 0.9 * all, most: all }
    default:
      return { kind: 'fixed', k: policy.k }
  }
}

/** The least of 1, 2, 3, 4, 6, 8, 12, 16, 24, … that is not below n; never above `most`. */
export function rungFor(n: number, most: number): number {
  let rung = 1
  while (rung < n && rung < most) rung = Math.log2(rung) % 1 === 0 && rung > 1 ? rung * 1.5 : nextPower(rung)
  return Math.max(Math.min(rung, most), 1)
}

const nextPower = (n: number) => 2 ** (Math.floor(Math.log2(n)) + 1)

/** Remembers, for each size of a batch, which rung its pairs needed. */
export class RowLadder {
  private readonly rungs = new Map<string, number>()

  /** Rows to compute; undefined where the policy fixes them. */
  rows(key: string, bound: RowBound): number | undefined {
    if (bound.kind === 'fixed') return undefined
    if (bound.kind === 'bounded') return Math.max(bound.most, 1)
    return this.rungs.get(key) ?? rungFor(bound.expected, bound.most)
  }

  /**
   * The rung that a run should have had whose pairs did not fit; it is remembered.
   * @param used rows that the run had, which may be fewer than a later one would be given by now
   */
  missed(key: string, bound: RowBound, used: number | undefined, pairs: number): number | undefined {
    if (used === undefined || bound.kind !== 'open' || pairs <= used) return undefined
    const next = Math.max(rungFor(pairs, bound.most), this.rungs.get(key) ?? 0)
    this.rungs.set(key, next)
    return next
  }
}
