/**
 * The tolerance rule of everything that is held against the float64 reference: a float32 executor may be off by sixteen
 * times what plain float32 arithmetic is off by on the same graph and data, or by 2e-6 of the tensor's largest value,
 * whichever is larger, plus 1e-5 of the element. It is the rule of the golden vectors.
 */
import type { Tensor } from '@fep-moe/core'
import type { Tolerance } from './case.js'

/** Relative part of the rule. */
export const GAP_RTOL = 1e-5

/** The rule, for one tensor in both precisions. */
export function gapTolerance(exact: Tensor, single: Tensor): Tolerance {
  let [gap, largest] = [0, 0]
  for (let i = 0; i < exact.data.length; i++) {
    const [e, s] = [exact.data[i] as number, single.data[i] as number]
    gap = Math.max(gap, Math.abs(e - s))
    largest = Math.max(largest, Math.abs(e))
  }
  return { atol: Math.max(16 * gap, 2e-6 * largest), rtol: GAP_RTOL }
}
