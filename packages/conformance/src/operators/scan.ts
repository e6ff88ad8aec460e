/** The general recurrence, with a body. */
import { type Graph, ops, type Value } from '@fep-moe/core'
import { graphOf, type InputTypes, type Values } from '../frame/build.js'
import { f, fill, i } from '../frame/data.js'
import { type Example, example } from './case.js'

const body = <const I extends InputTypes>(
  inputs: I,
  define: (v: { readonly [K in keyof I]: Value }) => Values,
): Graph => graphOf('step', inputs, define)
const float = (...shape: (number | 'batch')[]) => ({ dtype: 'float32', shape }) as const
const integer = (...shape: number[]) => ({ dtype: 'int32', shape }) as const

const total = body({ sum: float(2), x: float(2) }, ({ sum, x }) => {
  const next = ops.add(sum, x)
  return { sum: next, double: ops.mul(next, 2) }
})

/** Two states of different shape and dtype, two xs, one const, two ys. */
const mixed = body(
  { level: float(2), steps: integer(), x: float(2), gain: float(), bias: float(2) },
  ({ level, steps, x, gain, bias }) => {
    const next = ops.add(ops.mul(level, gain), ops.sub(x, bias))
    const count = ops.add(steps, 1)
    return { level: next, steps: count, top: ops.reduceMax(next, 0), before: ops.cast(steps, 'float32') }
  },
)

/** A leaky integrator with a soft cap: no linear scan can do it. */
const capped = body({ u: float('batch', 2), x: float('batch', 2), leak: float(2) }, ({ u, x, leak }) => {
  const next = ops.min(ops.add(ops.mul(u, leak), x), 1)
  return { u: next, weights: ops.softmax(next) }
})

const sigmoids = (row: readonly number[]): number[] => {
  const total = row.reduce((n, v) => n + Math.exp(v), 0)
  return row.map((v) => Math.exp(v) / total)
}

/** Examples of Scan. */
export const Scan: readonly [Example, ...Example[]] = [
  example(
    'running-sum',
    { start: f([0, 10]), xs: f([1, 2, 3, 4, 5, 6], [3, 2]) },
    (v) => {
      const { last, ys } = ops.scan(total, { init: [v.start], xs: [v.xs] }, { axis: 0 })
      return { last: last[0] as Value, ys: ys[0] as Value }
    },
    { last: f([9, 22]), ys: f([2, 24, 8, 32, 18, 44], [3, 2]) },
  ),
  example(
    'reverse-keeps-the-order-of-ys',
    { start: f([0, 10]), xs: f([1, 2, 3, 4, 5, 6], [3, 2]) },
    (v) => {
      const { last, ys } = ops.scan(total, { init: [v.start], xs: [v.xs] }, { axis: 0, reverse: true })
      return { last: last[0] as Value, ys: ys[0] as Value }
    },
    { last: f([9, 22]), ys: f([18, 44, 16, 40, 10, 32], [3, 2]) },
  ),
  example(
    'inner-axis',
    { start: f([0, 10]), xs: f([1, 2, 3, 4, 5, 6], [2, 3]) },
    (v) => {
      const { last, ys } = ops.scan(total, { init: [v.start], xs: [v.xs] }, { axis: 1 })
      return { last: last[0] as Value, ys: ys[0] as Value }
    },
    { last: f([6, 25]), ys: f([2, 6, 12, 28, 38, 50], [2, 3]) },
  ),
  example(
    'states-xs-consts-of-every-kind',
    { level: f([1, 0]), steps: i(5), x: f([1, 2, 3, 4], [2, 2]), gain: f([2, -1]), bias: f([1, 1]) },
    (v) => {
      const { last, ys } = ops.scan(
        mixed,
        { init: [v.level, v.steps], xs: [v.x, v.gain], consts: [v.bias] },
        { axis: 0 },
      )
      const [level, steps] = last as [Value, Value]
      const [top, before] = ys as [Value, Value]
      return { level, steps, top, before }
    },
    { level: f([0, 2]), steps: i(7), top: f([2, 2]), before: f([5, 6]) },
  ),
  example(
    'one-step',
    { start: f([1, 1]), xs: f([[2, 3]]) },
    (v) => {
      const { last, ys } = ops.scan(total, { init: [v.start], xs: [v.xs] }, { axis: 0, reverse: true })
      return { last: last[0] as Value, ys: ys[0] as Value }
    },
    { last: f([3, 4]), ys: f([[6, 8]]) },
  ),
  example(
    'next-states-are-the-present-ones-exchanged',
    { a: f([1, 2]), b: f([10, 20]), c: f([100, 200]), xs: f([0, 0, 0, 0], [4]) },
    (v) => {
      const turn = body({ a: float(2), b: float(2), c: float(2), x: float() }, ({ a, b, c, x }) => ({
        a: b,
        b: c,
        c: a,
        top: ops.add(ops.reduceMax(a, 0), x),
      }))
      const { last, ys } = ops.scan(turn, { init: [v.a, v.b, v.c], xs: [v.xs] }, { axis: 0 })
      const [a, b, c] = last as [Value, Value, Value]
      return { a, b, c, top: ys[0] as Value }
    },
    { a: f([10, 20]), b: f([100, 200]), c: f([1, 2]), top: f([2, 20, 200, 2]) },
  ),
  example(
    'no-state-is-a-map',
    { xs: f([1, 2, 3, 4], [2, 2]) },
    (v) => {
      const square = body({ x: float(2) }, ({ x }) => ({ y: ops.mul(x, x) }))
      return { y: ops.scan(square, { init: [], xs: [v.xs] }, { axis: 0 }).ys[0] as Value }
    },
    { y: f([1, 4, 9, 16], [2, 2]) },
  ),
  example(
    '40-steps',
    { start: f([0, 0]), xs: fill([40, 2], (k) => (k % 2 === 0 ? 1 : 0.5)) },
    (v) => {
      const { last, ys } = ops.scan(total, { init: [v.start], xs: [v.xs] }, { axis: 0 })
      return { last: last[0] as Value, ys: ys[0] as Value }
    },
    { last: f([40, 20]), ys: fill([40, 2], (k) => (Math.floor(k / 2) + 1) * (k % 2 === 0 ? 2 : 1)) },
  ),
  example(
    '40-steps-reverse',
    { start: f([0, 0]), xs: fill([40, 2], (k) => (k % 2 === 0 ? 1 : 0.5)) },
    (v) => {
      const { last, ys } = ops.scan(total, { init: [v.start], xs: [v.xs] }, { axis: 0, reverse: true })
      return { last: last[0] as Value, ys: ys[0] as Value }
    },
    { last: f([40, 20]), ys: fill([40, 2], (k) => (40 - Math.floor(k / 2)) * (k % 2 === 0 ? 2 : 1)) },
  ),
  example(
    'soft-cap-row-wise-batch',
    { u: f([[0, 0]]), xs: f([0.75, 0.25, 0.75, 0.25], [1, 2, 2]), leak: f([0.5, 0.5]) },
    (v) => {
      const { last, ys } = ops.scan(
        capped,
        { init: [v.u], xs: [v.xs], consts: [v.leak] },
        { axis: 1, batchAxis: 0 },
      )
      return { u: last[0] as Value, weights: ys[0] as Value }
    },
    { u: f([[1, 0.375]]), weights: f([...sigmoids([0.75, 0.25]), ...sigmoids([1, 0.375])], [1, 2, 2]) },
    {
      shapes: { u: ['batch', 2], xs: ['batch', 2, 2] },
      more: [
        {
          feeds: {
            u: f([0, 0, 4, 2, -2, 0], [3, 2]),
            xs: f([0.75, 0.25, 0.75, 0.25, 0, 0, 0, 0, 1, 5, 0, 0], [3, 2, 2]),
            leak: f([0.5, 0.5]),
          },
          expected: {
            u: f([1, 0.375, 0.5, 0.5, 0, 0.5], [3, 2]),
            weights: f(
              [
                ...sigmoids([0.75, 0.25]),
                ...sigmoids([1, 0.375]),
                0.5,
                0.5,
                0.5,
                0.5,
                ...sigmoids([0, 1]),
                ...sigmoids([0, 0.5]),
              ],
              [3, 2, 2],
            ),
          },
        },
      ],
    },
  ),
]
