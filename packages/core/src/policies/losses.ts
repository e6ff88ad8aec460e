/** Router losses as expressions, with a padding mask of their own: neither depends on any other option. */
import type { Value } from '../graph/builder.js'
import { cast, div, logSumExp, max, mul, stopGradient, sub, sum } from '../graph/expressions.js'
import type { Dim } from '../graph/types.js'
import { countValid, validRow } from './decision.js'

/** Options of {@link loadBalanceLoss}. */
export interface LoadBalanceOptions {
  /** Experts that each token selects, the divisor of f. Default 1. */
  readonly k?: number
  /** `product`: Σ F p with F = E f; `error`: Σ (F − 1) p. Default `product`. */
  readonly form?: 'product' | 'error'
  /** bool (T, B): false for padding. */
  readonly valid?: Value
}

/**
 * Load-balance loss (Switch Transformer, arXiv 2101.03961, equation 4): E Σ_e f_e p_e, f_e the share of selections that
 * fall on expert e, without gradient, p_e its mean score. 1 where both are uniform.
 * @param scores (E, N) before selection: a softmax, or the sigmoids of a sigmoid router
 * @param mask (E, N), 1 where selected
 */
export function loadBalanceLoss(scores: Value, mask: Value, options: LoadBalanceOptions = {}): Value {
  const { k = 1, form = 'product', valid } = options
  const [experts, tokens] = scores.shape as [number, Dim]
  const real = valid ? cast(validRow(valid, tokens), 'float32') : undefined
  const counted = (x: Value) => sum(real ? mul(x, real) : x, 1)
  const n = max(1, countValid(scores, valid))
  const share = mul(div(counted(stopGradient(mask)), n), experts / k)
  return sum(mul(form === 'error' ? sub(share, 1) : share, div(counted(scores), n)))
}

/**
 * Router z-loss (ST-MoE, arXiv 2202.08906, equation 5): the mean over tokens of (log Σ_e eᶻ)².
 * @param logits (E, N)
 * @param valid bool (T, B): false for padding
 */
export function routerZLoss(logits: Value, valid?: Value): Value {
  const z = logSumExp(logits, 0, true)
  const squares = mul(z, z)
  const real = valid ? cast(validRow(valid, logits.shape[1] as Dim), 'float32') : undefined
  return div(sum(real ? mul(squares, real) : squares), max(1, countValid(logits, valid)))
}
