/** Gradients of reductions, products and indexing. */
import { ops } from '@fep-moe/core'
import { f, fill, i, noise } from '../frame/data.js'
import { type GradientsOf, kink, smooth } from './case.js'

type Structured =
  | 'ReduceSum'
  | 'ReduceMax'
  | 'CumSum'
  | 'MatMul'
  | 'GroupedMatMul'
  | 'Gather'
  | 'ScatterND'
  | 'GatherElements'
  | 'ScatterElements'
  | 'TopK'

const cube = noise(71, [2, 3, 2])
/** Distinct by at least 0.05, in no order. */
const spread = fill([3, 4], (k) => ((k * 7) % 12) / 20 - 0.3)

export const structured: GradientsOf<Structured> = {
  ReduceSum: [
    smooth('two-axes', { x: cube }, ({ x }) => ({ y: ops.sin(ops.sum(x, [0, 2])) })),
    smooth('kept', { x: cube }, ({ x }) => ({ y: ops.mul(x, ops.sum(x, 1, true)) })),
    smooth('over-the-batch', { x: noise(72, [3, 2]) }, ({ x }) => ({ y: ops.sin(ops.sum(x, 0)) }), {
      shapes: { x: ['batch', 2] },
    }),
  ],
  ReduceMax: [
    smooth('inner-axis', { x: spread }, ({ x }) => ({ y: ops.reduceMax(x, 1) })),
    smooth('all', { x: spread }, ({ x }) => ({ y: ops.sin(ops.reduceMax(x)) })),
    kink('equal-maxima-share', { x: f([2, 2, 1, 5], [2, 2]) }, ({ x }) => ({ y: ops.reduceMax(x, 1) }), {
      x: f([0.5, 0.5, 0, 1], [2, 2]),
    }),
  ],
  CumSum: [
    smooth('forward', { x: cube }, ({ x }) => ({ y: ops.sin(ops.cumsum(x, 1)) })),
    smooth('reverse', { x: cube }, ({ x }) => ({ y: ops.sin(ops.cumsum(x, 1, { reverse: true })) })),
    smooth('exclusive', { x: cube }, ({ x }) => ({ y: ops.sin(ops.cumsum(x, 0, { exclusive: true })) })),
    smooth('exclusive-reverse', { x: cube }, ({ x }) => ({
      y: ops.sin(ops.cumsum(x, 2, { exclusive: true, reverse: true })),
    })),
  ],
  MatMul: [
    smooth('2x3-3x2', { a: noise(73, [2, 3]), b: noise(74, [3, 2]) }, (v) => ({ y: ops.matmul(v.a, v.b) })),
    smooth('batches-broadcast', { a: noise(75, [2, 1, 2, 2]), b: noise(76, [3, 2, 1]) }, (v) => ({
      y: ops.matmul(v.a, v.b),
    })),
    smooth('shared-left', { a: noise(77, [2, 3]), b: noise(78, [2, 2, 3, 2]) }, (v) => ({
      y: ops.matmul(v.a, v.b),
    })),
    smooth('shared-right', { a: noise(79, [2, 2, 2, 3]), b: noise(80, [3, 2]) }, (v) => ({
      y: ops.matmul(v.a, v.b),
    })),
    smooth(
      'batch-of-rows',
      { a: noise(81, [3, 2]), b: noise(82, [2, 2]) },
      (v) => ({ y: ops.matmul(v.a, v.b) }),
      { shapes: { a: ['batch', 2] } },
    ),
    smooth(
      'batch-last',
      { a: noise(83, [2, 3]), b: noise(84, [2, 3, 2]) },
      (v) => ({ y: ops.matmul(v.a, v.b) }),
      { shapes: { b: [2, 3, 'batch'] } },
    ),
    smooth('with-itself', { a: noise(85, [2, 2]) }, ({ a }) => ({ y: ops.matmul(a, a) })),
  ],
  GroupedMatMul: [
    smooth('forward', { x: noise(86, [5, 2]), w: noise(87, [3, 2, 3]), at: i([0, 2, 2, 4]) }, (v) => ({
      y: ops.groupedMatMul(v.x, v.w, v.at),
    })),
    smooth('weight', { x: noise(88, [4, 2]), g: noise(89, [4, 3]), at: i([0, 1, 3]) }, (v) => ({
      y: ops.groupedMatMulWeight(v.x, v.g, v.at),
    })),
  ],
  Gather: [
    smooth('repeated-rows', { x: noise(90, [3, 2]), at: i([2, 0, 2, 2]) }, (v) => ({
      y: ops.sin(ops.gather(v.x, v.at)),
    })),
    smooth('inner-axis-matrix', { x: noise(91, [2, 3, 2]), at: i([0, 2, 2, 1], [2, 2]) }, (v) => ({
      y: ops.gather(v.x, v.at, 1),
    })),
    smooth('scalar-index', { x: noise(92, [3, 2]), at: i(1) }, (v) => ({ y: ops.gather(v.x, v.at) })),
    smooth('negative', { x: noise(93, [3, 2]), at: i([-1, 0, -1]) }, (v) => ({ y: ops.gather(v.x, v.at) })),
    smooth('table-of-300', { x: noise(94, [300]), at: i([299, 0, 7, 7, -1]) }, (v) => ({
      y: ops.sin(ops.gather(v.x, v.at)),
    })),
    smooth(
      'batch-of-indices',
      { x: noise(95, [3, 2]), at: i([[0], [2], [2]]) },
      (v) => ({ y: ops.gather(v.x, v.at) }),
      { shapes: { at: ['batch', 1] } },
    ),
  ],
  ScatterND: [
    smooth('repeated-rows', { x: noise(96, [3, 2]), at: i([[1], [1], [0]]), u: noise(97, [3, 2]) }, (v) => ({
      y: ops.sin(ops.scatterAdd(v.x, v.at, v.u)),
    })),
    smooth('negative', { x: noise(98, [3]), at: i([[-1], [0]]), u: noise(99, [2]) }, (v) => ({
      y: ops.sin(ops.scatterAdd(v.x, v.at, v.u)),
    })),
  ],
  GatherElements: [
    smooth('repeated', { x: noise(100, [2, 3]), at: i([2, 2, 0, 1], [2, 2]) }, (v) => ({
      y: ops.sin(ops.gatherElements(v.x, v.at, 1)),
    })),
    smooth('negative-first-axis', { x: noise(101, [3, 2]), at: i([[-1, 0]]) }, (v) => ({
      y: ops.gatherElements(v.x, v.at, 0),
    })),
  ],
  ScatterElements: [
    smooth(
      'repeated',
      { x: noise(102, [2, 3]), at: i([2, 2, 0, 1], [2, 2]), u: noise(103, [2, 2]) },
      (v) => ({ y: ops.sin(ops.scatterElementsAdd(v.x, v.at, v.u, 1)) }),
    ),
  ],
  TopK: [
    smooth('two-of-four', { x: spread }, ({ x }) => ({ y: ops.topk(x, 2, 1).values })),
    smooth('first-axis', { x: spread }, ({ x }) => ({ y: ops.sin(ops.topk(x, 2, 0).values) })),
    kink('a-tie-goes-to-the-lower-index', { x: f([1, 3, 3]) }, ({ x }) => ({ y: ops.topk(x, 1).values }), {
      x: f([0, 1, 0]),
    }),
  ],
}
