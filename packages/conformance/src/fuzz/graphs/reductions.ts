/** Emitters of reductions, running sums, and what is defined by them. */
import { ops, sizeOf } from '@fep-moe/core'
import type { Assembly, Known, Picks } from './assembly.js'
import { alongAxis, type Emitter, isFilled, isKnown, notEmpty, someAxes } from './emitter.js'

/** Elements of a value at the largest batch. */
const count = ({ value }: Known): number => {
  const { factor, power } = sizeOf(value.shape)
  return factor * 3 ** power
}

/** A reduction over axes that hold something: the maximum or the mean of nothing is no number. */
const reduced =
  (op: 'ReduceSum' | 'ReduceMax' | 'ReduceMean'): Emitter =>
  (a, picks) => {
    const dtype = op !== 'ReduceMean' && picks.once(4) ? 'int32' : 'float32'
    const fits = op === 'ReduceSum' ? () => true : notEmpty
    const x = alongAxis(a, picks, dtype, fits)
    const axes = [...new Set([x.axis, ...someAxes(picks, x.value.shape, fits)])].sort((p, q) => p - q)
    const [value] = a.builder.emit(op, [x.value], { axes, keepdims: picks.once(2) })
    a.keep(value as Known['value'], op === 'ReduceSum' ? x.most * count(x) : x.most)
  }

const along =
  (
    f: (x: Known['value'], axis: number, picks: Picks) => Known['value'],
    most: (x: number) => number,
  ): Emitter =>
  (a, picks) => {
    const x = alongAxis(a, picks, 'float32', notEmpty)
    a.keep(f(x.value, x.axis, picks), most(x.most))
  }

/** Weights of a normalization: one per element of the axis, in front of what follows it. */
const perElement = (a: Assembly, picks: Picks, shape: Known['value']['shape'], axis: number) =>
  a.shaped(
    picks,
    'float32',
    shape.slice(axis).map((d, i) => (i === 0 ? d : 1)),
  )

export const reductions = {
  ReduceSum: reduced('ReduceSum'),
  ReduceMax: reduced('ReduceMax'),
  ReduceMean: reduced('ReduceMean'),
  CumSum: (a, picks) => {
    const x = alongAxis(a, picks, picks.once(4) ? 'int32' : 'float32', isKnown)
    const options = { exclusive: picks.once(2), reverse: picks.once(2) }
    a.keep(ops.cumsum(x.value, x.axis, options), x.most * count(x))
  },
  Softmax: along(ops.softmax, () => 1),
  LogSoftmax: along(ops.logSoftmax, (x) => 2 * x + 6),
  LogSumExp: along(
    (x, axis, picks) => ops.logSumExp(x, axis, picks.once(2)),
    (x) => x + 6,
  ),
  LayerNorm: (a, picks) => {
    const x = alongAxis(a, picks, 'float32', isFilled)
    const [weight, bias] = [0, 1].map(() => perElement(a, picks, x.value.shape, x.axis)) as [Known, Known]
    const epsilon = picks.once(2) ? 1e-5 : 1e-2
    a.keep(
      ops.layerNorm(x.value, weight.value, bias.value, x.axis, epsilon),
      Math.sqrt(count(x)) * weight.most + bias.most,
    )
  },
} satisfies Readonly<Record<string, Emitter>>
