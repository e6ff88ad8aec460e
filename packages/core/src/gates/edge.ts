/** What every form of a gate checks at its edge. */
import { FepError } from '../errors.js'
import { full, type Tensor } from '../tensor.js'
import type { ResolvedGateConfig } from './config.js'
import type { Layout } from './feeds.js'
import type { PrecisionState } from './precision.js'

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

/**
 * The feed of Π, or of errors where the gate tracks it.
 * @param tokens shape of Π where every sequence has its own: (B, T), or (T, B) where features come first
 * @throws FEP_UNSUPPORTED where the gate has none; FEP_BAD_FEED for a state that does not fit
 */
export function precisionFeed(
  config: ResolvedGateConfig,
  given: Tensor | PrecisionState | undefined,
  tokens: readonly [number, number],
  layout: Layout = 'batch-major',
  feedback?: Tensor,
): Record<string, Tensor> {
  const tracked = config.precision?.scope === 'tracked'
  if (tracked ? given : feedback)
    throw new FepError(
      'FEP_UNSUPPORTED',
      tracked
        ? 'this gate tracks its own precision: give `feedback`'
        : "feedback needs precision.scope 'tracked'",
    )
  if (!config.precision) {
    if (given) throw new FepError('FEP_UNSUPPORTED', 'this gate has no precision')
    return {}
  }
  if (tracked) return { feedback: feedback ?? noFeedback(config.experts, tokens, layout) }
  if (given && 'data' in given) return { precision: given }
  const { scope, epsilon, initialVariance } = config.precision
  const { experts } = config
  const shared = scope === 'shared'
  const rows = shared ? 1 : (tokens[layout === 'batch-major' ? 0 : 1] as number)
  const variance = given?.variance ?? new Array<number>(rows * experts).fill(initialVariance)
  if (variance.length !== rows * experts)
    throw new FepError(
      'FEP_BAD_FEED',
      `precision holds ${variance.length} variances; expected ${rows * experts} (${rows} · experts)`,
    )
  const data = Float32Array.from(variance, (x) => 1 / (x + epsilon))
  return {
    precision: shared
      ? { dtype: 'float32', shape: [experts], data }
      : perToken(data, experts, tokens, layout),
  }
}

/** Nothing is known of any expert: −1 everywhere. */
const noFeedback = (experts: number, [first, second]: readonly [number, number], layout: Layout): Tensor =>
  full(layout === 'feature-major' ? [experts, first, second] : [first, second, experts], -1)

/** Π of each sequence, at each of its tokens. */
function perToken(
  data: Float32Array,
  experts: number,
  [first, second]: readonly [number, number],
  layout: Layout,
): Tensor {
  const featureMajor = layout === 'feature-major'
  const shape = featureMajor ? [experts, first, second] : [first, second, experts]
  const out = new Float32Array(experts * first * second)
  for (let i = 0; i < out.length; i++) {
    const [expert, row] = featureMajor
      ? [Math.floor(i / (first * second)), i % second]
      : [i % experts, Math.floor(i / (second * experts))]
    out[i] = data[row * experts + expert] as number
  }
  return { dtype: 'float32', shape, data: out }
}
