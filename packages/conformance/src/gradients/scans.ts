/** Gradients through time. */
import { ops, type Value } from '@fep-moe/core'
import { graphOf, type InputTypes, type Values } from '../frame/build.js'
import { f, i, noise } from '../frame/data.js'
import { type GradientExample, type GradientsOf, smooth } from './case.js'

interface LinearOptions {
  readonly axis?: number
  readonly reverse?: boolean
  /** Which results the loss sees. */
  readonly sees?: 'h' | 'last' | 'both'
}

const linear = (
  id: string,
  a: readonly number[],
  b: readonly number[],
  h0: readonly number[],
  { axis = 1, reverse = false, sees = 'both' }: LinearOptions = {},
): GradientExample =>
  smooth(id, { a: noise(111, a, -0.9, 0.9), b: noise(112, b), h0: noise(113, h0) }, (v) => {
    const { h, last } = ops.linearScan(v.a, v.b, v.h0, { axis, reverse })
    return sees === 'h' ? { h } : sees === 'last' ? { last } : { h, last }
  })

const LinearScan: readonly [GradientExample, ...GradientExample[]] = [
  linear('constant-decay', [2, 1], [2, 4], [2, 1]),
  linear('constant-decay-reverse', [2, 1], [2, 4], [2, 1], { reverse: true }),
  linear('time-varying', [2, 4], [2, 4], [2, 1]),
  linear('time-varying-reverse', [2, 4], [2, 4], [2, 1], { reverse: true }),
  linear('decay-per-step-only', [1, 4], [2, 4], [1, 1]),
  linear('one-decay-for-all', [1, 1], [2, 4], [1, 1]),
  linear('only-h', [2, 4], [2, 4], [2, 1], { sees: 'h' }),
  linear('only-last', [2, 1], [2, 4], [2, 1], { sees: 'last' }),
  linear('only-last-time-varying-reverse', [2, 4], [2, 4], [2, 1], { sees: 'last', reverse: true }),
  linear('one-step', [2, 1], [2, 1], [2, 1]),
  linear('first-axis', [1, 2], [3, 2], [1, 2], { axis: 0 }),
  linear('middle-axis-of-3', [1, 1, 2], [2, 3, 2], [2, 1, 1]),
  linear('70-steps', [1, 1], [1, 70], [1, 1]),
  smooth(
    'batch-last',
    { a: noise(114, [2, 1, 1], -0.9, 0.9), b: noise(115, [2, 3, 2]), h0: noise(116, [1, 1, 1]) },
    (v) => ({ ...ops.linearScan(v.a, v.b, v.h0, { axis: 1 }) }),
    { shapes: { b: [2, 3, 'batch'] } },
  ),
  smooth(
    'a-reset-mask',
    {
      a: noise(117, [2, 1], 0.2, 0.9),
      keep: f([1, 1, 0, 1], [1, 4]),
      b: noise(118, [2, 4]),
      h0: noise(119, [2, 1]),
    },
    (v) => ({ ...ops.linearScan(ops.mul(v.a, v.keep), v.b, v.h0, { axis: 1 }) }),
  ),
]

const float = (...shape: (number | 'batch')[]) => ({ dtype: 'float32', shape }) as const
const body = <const I extends InputTypes>(
  inputs: I,
  define: (v: { readonly [K in keyof I]: Value }) => Values,
) => graphOf('step', inputs, define)

/** A recurrence with a product of state, input and const in it: every partial depends on everything. */
const cell = (rows: number | 'batch') =>
  body({ h: float(rows, 2), x: float(rows, 2), w: float(2, 2), bias: float(2) }, ({ h, x, w, bias }) => {
    const next = ops.tanh(ops.add(ops.add(ops.matmul(h, w), ops.mul(x, h)), bias))
    return { h: next, y: ops.mul(next, x) }
  })

interface CellOptions {
  readonly sees?: 'last' | 'ys' | 'both'
  readonly reverse?: boolean
  readonly steps?: number
  readonly batch?: boolean
}

const through = (
  id: string,
  { sees = 'both', reverse = false, steps = 4, batch = false }: CellOptions,
): GradientExample =>
  smooth(
    id,
    { h: noise(121, [2, 2]), xs: noise(122, [2, steps, 2]), w: noise(123, [2, 2]), bias: noise(124, [2]) },
    (v) => {
      const options = { axis: 1, reverse, ...(batch ? { batchAxis: 0 } : {}) }
      const { last, ys } = ops.scan(
        cell(batch ? 'batch' : 2),
        { init: [v.h], xs: [v.xs], consts: [v.w, v.bias] },
        options,
      )
      const [h, y] = [last[0] as Value, ys[0] as Value]
      return sees === 'last' ? { h } : sees === 'ys' ? { y } : { h, y }
    },
    batch ? { shapes: { h: ['batch', 2], xs: ['batch', steps, 2] } } : {},
  )

/** Two float states that feed each other and a counter that is none. */
const coupled = body(
  { p: float(2), q: float(), n: { dtype: 'int32', shape: [] }, x: float(2), z: float(), k: float() },
  ({ p, q, n, x, z, k }) => {
    const nextP = ops.add(ops.mul(p, ops.sigmoid(q)), x)
    const nextQ = ops.add(ops.mul(ops.sum(p), k), z)
    return {
      p: nextP,
      q: nextQ,
      n: ops.add(n, 1),
      y: ops.mul(ops.cast(n, 'float32'), nextQ),
      unused: ops.sin(nextP),
    }
  },
)

const Scan: readonly [GradientExample, ...GradientExample[]] = [
  through('last-and-ys', {}),
  through('only-last', { sees: 'last' }),
  through('only-ys', { sees: 'ys' }),
  through('reverse', { reverse: true }),
  through('one-step', { steps: 1 }),
  through('12-steps', { steps: 12, sees: 'last' }),
  through('row-wise-batch', { batch: true }),
  smooth(
    'coupled-states-and-a-counter',
    {
      p: noise(125, [2]),
      q: noise(126, []),
      n: i(1),
      xs: noise(127, [3, 2]),
      zs: noise(128, [3]),
      k: noise(129, []),
    },
    (v) => {
      const { last, ys } = ops.scan(
        coupled,
        { init: [v.p, v.q, v.n], xs: [v.xs, v.zs], consts: [v.k] },
        { axis: 0 },
      )
      return { p: last[0] as Value, n: last[2] as Value, y: ys[0] as Value }
    },
  ),
  smooth(
    'only-the-const-is-wanted',
    { h: noise(130, [2, 2]), xs: noise(131, [2, 3, 2]), w: noise(132, [2, 2]), bias: noise(133, [2]) },
    (v) => {
      const { ys } = ops.scan(cell(2), { init: [v.h], xs: [v.xs], consts: [v.w, v.bias] }, { axis: 1 })
      return { y: ys[0] as Value }
    },
    { wrt: ['w'] },
  ),
  smooth(
    'states-feed-a-second-scan',
    { h: noise(134, [2, 2]), xs: noise(135, [2, 3, 2]), w: noise(136, [2, 2]), bias: noise(137, [2]) },
    (v) => {
      const first = ops.scan(cell(2), { init: [v.h], xs: [v.xs], consts: [v.w, v.bias] }, { axis: 1 })
      const second = ops.scan(
        cell(2),
        { init: [first.last[0] as Value], xs: [first.ys[0] as Value], consts: [v.w, v.bias] },
        { axis: 1, reverse: true },
      )
      return { h: second.last[0] as Value }
    },
  ),
]

export const scanGradients: GradientsOf<'LinearScan' | 'Scan'> = { LinearScan, Scan }
