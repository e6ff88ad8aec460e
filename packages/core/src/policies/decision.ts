/** What a policy is given and what it decides, as values of a graph. Features come first: (E, N), N = T · B, time first. */
import type { GraphBuilder, Value } from '../graph/builder.js'
import { and, cast, div, greater, mul, reshape, size, sub, sum } from '../graph/expressions.js'
import type { Dim } from '../graph/types.js'

/** Values a policy decides on. */
export interface PolicyOperands {
  /** (E, N): scores of a gate; cosines for `cosine-threshold`. Finite. */
  readonly logits: Value
  /** T, of N = T · B. */
  readonly steps: number
  /** The policy's state, by name (`policyStates`). In evaluation only what `frozenStates` names. */
  readonly state: Readonly<Record<string, Value>>
  /** bool (T, B): false for padding, which goes to no expert and counts nowhere. Default: all tokens are real. */
  readonly valid?: Value
  /** Noise, capacity, warm-up and the accumulators of the state belong to training. Default false. */
  readonly training?: boolean
  /** (E, N) normal numbers, for noisy token choice in training. */
  readonly noise?: Value
  /** (E, N) standard deviation of learned noise. */
  readonly noiseScale?: Value
  /** (E, N) uniform numbers, for `random`. */
  readonly uniform?: Value
  /** int32 (1, N), for `hash`. */
  readonly ids?: Value
}

/** What a policy decides. Values that nobody uses cost nothing: dead code is removed. */
export interface Decision {
  /** (E, N): 1 where the expert takes the token, else 0. No gradient. */
  readonly mask: Value
  /** (E, N): 0 where not selected. */
  readonly weights: Value
  /** (1, N): weight of a shared expert. */
  readonly shared: Value
  /** int32 (k, N), best first, −1 where fewer were selected; k = E where a token may get any number. */
  readonly indices: Value
  /** (k, N), where every token takes k experts: the weights of `indices`, in their order, 0 beside −1. */
  readonly chosen?: Value
  /** (1, N): how far the nearest score is from where the decision would change. */
  readonly margin: Value
  /** (E): tokens of each expert. */
  readonly load: Value
  /** (E, N), training with capacity: 1 where a token wanted an expert that was full. */
  readonly dropped?: Value
  /** (E), training of `threshold`: 1 where capacity changed what the cutoff decided. */
  readonly clamped?: Value
  /** Router losses, scalars without their coefficients. */
  readonly losses: Readonly<Record<string, Value>>
  /** Their weighted sum, where a coefficient is not 0. */
  readonly penalty?: Value
  /** The state with this micro-batch in its accumulators (training), else as it was given. */
  readonly state: Readonly<Record<string, Value>>
}

/** Below every score, and far enough from the end of float32 to subtract from. */
export const LOWEST = -1e30

/** a < b */
export const less = (a: Value | number, b: Value | number): Value => greater(b, a)

/** `valid` (T, B) as (1, N). */
export const validRow = (valid: Value, tokens: Dim): Value => reshape(valid, [1, tokens])

/** Number of tokens that are real, a float scalar; the batch counts as the size it has at run time. */
export function countValid(logits: Value, valid: Value | undefined): Value {
  if (valid) return sum(cast(valid, 'float32'))
  return div(cast(size(logits), 'float32'), logits.shape[0] as number)
}

/** bool (E, N) → 0 and 1, padding 0. */
export const maskOf = (chosen: Value, valid: Value | undefined): Value =>
  cast(valid ? and(chosen, validRow(valid, chosen.shape[1] as Dim)) : chosen, 'float32')

/** 0, 1, …, n − 1 */
export const countTo = (
  builder: GraphBuilder,
  n: number,
  shape: readonly number[],
  dtype: 'int32' | 'float32' = 'int32',
): Value =>
  builder.constant(
    Array.from({ length: n }, (_, i) => i),
    shape,
    dtype,
  )

/** |x| as a product of what every executor has. */
export const distance = (a: Value, b: Value): Value => {
  const d = sub(a, b)
  return mul(d, sub(mul(cast(greater(d, 0), 'float32'), 2), 1))
}
