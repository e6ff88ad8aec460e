/** Reductions and running sums. */
import { ops, type Value } from '@fep-moe/core'
import type { Call, Translation, Translations } from '../call.js'
import { reduction } from './shared.js'

const reduced =
  (f: (x: Value, axes: readonly number[], keepdims: boolean) => Value): Translation =>
  (call) => {
    const { x, axes, keepdims } = reduction(call)
    return [f(x, axes, keepdims)]
  }

const square = (x: Value): Value => ops.mul(x, x)

/** Ours takes one axis: several are moved to the end and merged. */
function logSumExp(call: Call): Value {
  const { x, axes, keepdims } = reduction(call)
  const kept = x.shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]))
  const shape = keepdims
    ? x.shape.map((d, i) => (axes.includes(i) ? 1 : d))
    : kept.map((i) => x.shape[i] as number)
  if (axes.length === 1) return ops.logSumExp(x, axes[0], keepdims)
  const last = ops.reshape(ops.permute(x, [...kept, ...axes]), [...kept.map((i) => x.shape[i] as number), -1])
  return ops.reshape(ops.logSumExp(last), shape)
}

export const reduce: Translations = {
  ReduceSum: reduced(ops.sum),
  ReduceMax: reduced(ops.reduceMax),
  ReduceMean: reduced(ops.mean),
  ReduceMin: reduced((x, axes, keepdims) => ops.neg(ops.reduceMax(ops.neg(x), axes, keepdims))),
  ReduceSumSquare: reduced((x, axes, keepdims) => ops.sum(square(x), axes, keepdims)),
  ReduceL1: reduced((x, axes, keepdims) => ops.sum(ops.max(x, ops.neg(x)), axes, keepdims)),
  ReduceL2: reduced((x, axes, keepdims) => ops.sqrt(ops.sum(square(x), axes, keepdims))),
  ReduceLogSum: reduced((x, axes, keepdims) => ops.log(ops.sum(x, axes, keepdims))),
  ReduceLogSumExp: (call) => [logSumExp(call)],
  CumSum: (call) => [
    ops.cumsum(call.value(0), call.numbers(1)[0] as number, {
      exclusive: call.number('exclusive', 0) !== 0,
      reverse: call.number('reverse', 0) !== 0,
    }),
  ],
}
