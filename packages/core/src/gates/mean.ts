/** Mean pooling (paper A, Table 1) as a recurrence: the sum of the tokens so far, and their number. */
import type { Value } from '../graph/builder.js'
import { concat, div, expand, linearScan, slice } from '../graph/expressions.js'
import type { Dim } from '../graph/types.js'
import { keepOf } from './memory.js'

/**
 * Means of the tokens up to each step.
 * @param x (d, T, B)
 * @param state sums and number of tokens before (d+1, 1, B), or 0
 * @param reset bool (T, B)
 * @returns the means (d, T, B), and the state after each step (d+1, T, B) and after the last (d+1, 1, B)
 */
export function runningMean(
  x: Value,
  state: Value | number,
  reset?: Value,
): { mean: Value; state: Value; last: Value } {
  const [dim, ...rest] = x.shape as [number, ...Dim[]]
  const one = x.builder.constant(1, [1, 1, 1])
  const { h, last } = linearScan(
    reset ? keepOf(reset) : one,
    concat([x, expand(one, [1, ...rest])], 0),
    state,
    { axis: 1 },
  )
  return { mean: div(slice(h, 0, 0, dim), slice(h, 0, dim)).named('mean'), state: h, last }
}
