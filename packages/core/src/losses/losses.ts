/** Losses as expressions. All return float32; reductions are over the batch. */
import type { Value } from '../graph/builder.js'
import { crossEntropyRows, div, max, mean, mul, sub, sum } from '../graph/expressions.js'

/** How rows of a loss are weighted. */
export interface RowWeights {
  /** 0/1 (or any weight) per row, float32, shaped like the rows. */
  readonly weights?: Value
  /**
   * `rows`: divide by the number of rows (PyTorch code of paper A); `weights`: divide by the sum of weights
   * (at least 1e-12), so that masked rows do not count. Default `weights` where weights are given.
   */
  readonly divideBy?: 'rows' | 'weights'
}

/**
 * Mean cross-entropy with logits over all rows.
 * @param logits classes on `axis`
 * @param targets int32 class indices, shape of logits without `axis`
 */
export function crossEntropy(
  logits: Value,
  targets: Value,
  options: RowWeights & { axis?: number } = {},
): Value {
  return weightedMean(crossEntropyRows(logits, targets, options.axis ?? -1), options)
}

/** Mean squared error over all elements. `target` is not detached; wrap it in `stopGradient` where it must be. */
export function meanSquaredError(prediction: Value, target: Value, options: RowWeights = {}): Value {
  const d = sub(prediction, target)
  return weightedMean(mul(d, d), options)
}

/** Mean of rows under weights. */
export function weightedMean(rows: Value, { weights, divideBy }: RowWeights): Value {
  if (!weights) return mean(rows)
  const weighted = mul(rows, weights)
  return (divideBy ?? 'weights') === 'rows' ? mean(weighted) : div(sum(weighted), max(1e-12, sum(weights)))
}
