/** What every form of a gate checks at its edge. */
import { FepError } from '../errors.js'
import type { Tensor } from '../tensor.js'
import type { ResolvedGateConfig } from './config.js'
import { type PrecisionState, precisionTracker } from './precision.js'

/** @throws FEP_BAD_FEED unless `x` is a float32 tensor of the rank whose last dimension is d */
export function checkTokens(x: Tensor, dim: number, rank: number): void {
  const want = rank === 3 ? `(batch, time, ${dim})` : `(batch, ${dim})`
  if (
    x?.dtype !== 'float32' ||
    !Array.isArray(x.shape) ||
    x.shape.length !== rank ||
    x.shape[rank - 1] !== dim
  ) {
    throw new FepError(
      'FEP_BAD_FEED',
      `tokens are ${x?.dtype ?? typeof x}(${x?.shape?.join(', ') ?? ''}); expected float32${want}`,
    )
  }
}

/** The feed of Π. @throws FEP_UNSUPPORTED where the gate has none */
export function precisionFeed(
  config: ResolvedGateConfig,
  given: Tensor | PrecisionState | undefined,
): { precision?: Tensor } {
  if (!config.precision) {
    if (given)
      throw new FepError(
        'FEP_UNSUPPORTED',
        'precision was given, but the gate has none; add `precision` to its configuration',
      )
    return {}
  }
  if (given && 'data' in given) return { precision: given }
  const { momentum, epsilon, initialVariance } = config.precision
  const tracker = precisionTracker({ experts: config.experts, momentum, epsilon, initialVariance })
  return { precision: tracker.precision(given ?? tracker.init()) }
}
