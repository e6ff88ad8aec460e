/** Small graphs that the lifecycle cases run. */
import { type Graph, ops, type Tensor } from '@fep-moe/core'
import { graphOf } from '../frame/build.js'
import { fill } from '../frame/data.js'

/** y = 2x + c and s = Σ y, for x (n) and c (1). */
export const affine = (n: number): Graph =>
  graphOf(
    'affine',
    { x: { dtype: 'float32', shape: [n] }, c: { dtype: 'float32', shape: [1] } },
    ({ x, c }) => {
      const y = ops.add(ops.mul(x, 2), c)
      return { y, s: ops.sum(y) }
    },
  )

/** y = −x for x (n): as little work per byte as a run can have. */
export const negative = (n: number): Graph =>
  graphOf('negative', { x: { dtype: 'float32', shape: [n] } }, ({ x }) => ({ y: ops.neg(x) }))

/** y = x · x over rows of a batch, with the row sums. */
export const squares = (): Graph =>
  graphOf('squares', { x: { dtype: 'float32', shape: ['batch', 3] } }, ({ x }) => ({
    y: ops.mul(x, x),
    rows: ops.sum(x, 1),
  }))

/** One step of a counter: count + 1 and total + x, each under the name it is fed with. */
export const counter = (): Graph =>
  graphOf(
    'counter',
    {
      count: { dtype: 'int32', shape: [] },
      total: { dtype: 'float32', shape: [2] },
      x: { dtype: 'float32', shape: [2] },
    },
    ({ count, total, x }) => ({ count: ops.add(count, 1), total: ops.add(total, x) }),
  )

/** A tensor of n copies of a number. */
export const filled = (n: number, value: number): Tensor => fill([n], () => value)
