/** Anticipation that adds a distribution (the SKILL form): a network reads a slow average of the tokens. */
import type { Value } from '../graph/builder.js'
import {
  add,
  concat,
  expand,
  linearScan,
  log,
  max,
  mul,
  pad,
  slice,
  softmax,
  stopGradient,
  sub,
} from '../graph/expressions.js'
import type { Dim } from '../graph/types.js'
import { keepOf } from './memory.js'

/**
 * The average a: the first token of a document as it is, then a_t = m a_{t−1} + (1 − m) x_t.
 * @param x (d, T, B); no gradient flows through
 * @param state a, and 1 where there is one (d+1, 1, B); undefined: nothing was seen yet
 * @param reset bool (T, B): a new document starts
 * @returns a (d, T, B), and the state after the last step (d+1, 1, B)
 */
export function averageTokens(
  momentum: number,
  x: Value,
  state: Value | undefined,
  reset?: Value,
): { average: Value; last: Value } {
  const { builder } = x
  const [dim, steps, batch] = x.shape as [number, number, Dim]
  const one = expand(builder.constant(1, [1, 1, 1]), [1, 1, batch])
  const seen = state ? slice(state, 0, dim) : mul(one, 0)
  const unseen = sub(1, seen)
  // 1 where the average begins: at the first step where nothing was seen, and where a document starts.
  const first = steps > 1 ? pad(unseen, 1, 0, steps - 1) : slice(unseen, 1, 0, steps)
  const fresh = reset ? max(first, sub(1, keepOf(reset))) : first
  const { h, last } = linearScan(
    mul(sub(1, fresh), momentum),
    mul(stopGradient(x), add(mul(fresh, momentum), 1 - momentum)),
    state ? slice(state, 0, 0, dim) : 0,
    { axis: 1 },
  )
  return { average: h.named('average'), last: concat([last, steps === 0 ? seen : one], 0) }
}

/** Keeps the logarithm of a mean of two weights finite where both underflow. */
const LEAST = 1e-37

/** log((softmax(logits) + r) / 2), experts on axis 0. */
export function mixIn(logits: Value, r: Value): Value {
  return log(max(mul(add(softmax(logits, 0), r), 0.5), LEAST))
}
