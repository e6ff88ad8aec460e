/** What a selected expert, and a shared one, weighs (paper B, `compute_weights`). */
import type { Value } from '../graph/builder.js'
import { concat, expand, relu, sigmoid, slice, softmax, where } from '../graph/expressions.js'
import type { Dim } from '../graph/types.js'
import type { ThresholdWeights } from './config.js'
import { LOWEST, validRow } from './decision.js'

/** softmax over [0, z] along the experts: the anchor's part (1, N), and the experts' (E, N). */
export function anchoredSoftmax(logits: Value): { anchor: Value; experts: Value } {
  const zero = expand(logits.builder.constant(0, [1, 1]), [1, logits.shape[1] as Dim])
  const q = softmax(concat([zero, logits], 0), 0)
  return { anchor: slice(q, 0, 0, 1), experts: slice(q, 0, 1) }
}

/**
 * Weights of all experts before selection (E, N), and that of a shared one (1, N).
 * @param granularity G: where the shared expert stands outside of the softmax it weighs 1/G
 */
export function allWeights(
  kind: ThresholdWeights,
  logits: Value,
  granularity: number,
  valid?: Value,
): { all: Value; shared: Value } {
  const tokens = logits.shape[1] as Dim
  const shared = (weight: number) => expand(logits.builder.constant(weight, [1, 1]), [1, tokens])
  switch (kind) {
    case 'sigmoid':
      return { all: sigmoid(logits), shared: shared(1) }
    case 'relu':
      return { all: relu(logits), shared: shared(1) }
    case 'softmax-tokens': {
      const real = valid ? where(validRow(valid, tokens), logits, LOWEST) : logits
      return { all: softmax(real, 1), shared: shared(1) }
    }
    default: {
      const { anchor, experts } = anchoredSoftmax(logits)
      return { all: experts, shared: kind === 'softmax-experts' ? anchor : shared(1 / granularity) }
    }
  }
}
