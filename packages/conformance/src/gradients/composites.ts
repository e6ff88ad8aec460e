/** Gradients of composites, through their definitions. */
import { type CompositeName, ops } from '@fep-moe/core'
import { f, fill, i, noise } from '../frame/data.js'
import { type GradientsOf, kink, smooth } from './case.js'

const x = noise(141, [3, 4], -2, 2)

export const compositeGradients: GradientsOf<CompositeName> = {
  Relu: [
    smooth('signs', { x: f([-1, 0.5, 2, -0.25]) }, (v) => ({ y: ops.relu(v.x) })),
    kink('zero-at-zero', { x: f([-1, 0, 1]) }, (v) => ({ y: ops.relu(v.x) }), { x: f([0, 0, 1]) }),
  ],
  Linear: [
    smooth(
      'rank-3-batch',
      { x: noise(142, [2, 2, 3]), w: noise(143, [2, 3]), c: noise(144, [2]) },
      (v) => ({ y: ops.linear(v.x, v.w, v.c) }),
      {
        shapes: { x: ['batch', 2, 3] },
      },
    ),
    smooth('rank-1-no-bias', { x: noise(145, [3]), w: noise(146, [2, 3]) }, (v) => ({
      y: ops.linear(v.x, v.w),
    })),
  ],
  Softmax: [
    smooth('rows', { x }, (v) => ({ y: ops.softmax(v.x) })),
    smooth('first-axis', { x }, (v) => ({ y: ops.softmax(v.x, 0) })),
    kink('one-class', { x: f([[5], [-5]]) }, (v) => ({ y: ops.softmax(v.x) }), { x: f([[0], [0]]) }),
  ],
  LogSoftmax: [smooth('rows', { x }, (v) => ({ y: ops.logSoftmax(v.x) }))],
  LogSumExp: [
    smooth('rows', { x }, (v) => ({ y: ops.logSumExp(v.x) })),
    smooth('kept-first-axis', { x }, (v) => ({ y: ops.logSumExp(v.x, 0, true) })),
  ],
  LayerNorm: [
    smooth('rows', { x, w: noise(147, [4]), c: noise(148, [4]) }, (v) => ({
      y: ops.layerNorm(v.x, v.w, v.c, -1, 1e-3),
    })),
    smooth('first-axis', { x, w: noise(149, [3, 1]), c: noise(150, [3, 1]) }, (v) => ({
      y: ops.layerNorm(v.x, v.w, v.c, 0),
    })),
  ],
  Gelu: [smooth('noise', { x }, (v) => ({ y: ops.gelu(v.x) }))],
  Silu: [smooth('noise', { x }, (v) => ({ y: ops.silu(v.x) }))],
  Softplus: [
    smooth('noise', { x }, (v) => ({ y: ops.softplus(v.x) })),
    kink('half-at-zero', { x: f([0]) }, (v) => ({ y: ops.softplus(v.x) }), { x: f([0.5]) }),
  ],
  ReduceMean: [
    smooth('rows', { x }, (v) => ({ y: ops.sin(ops.mean(v.x, 1)) })),
    smooth('over-the-batch', { x }, (v) => ({ y: ops.sin(ops.mean(v.x, 0)) }), {
      shapes: { x: ['batch', 4] },
    }),
  ],
  OneHot: 'discrete',
  ArgMax: 'discrete',
  Clip: [
    smooth('both-ends', { x: fill([4], (k) => k - 1.5) }, (v) => ({ y: ops.clip(v.x, -1, 1) })),
    kink('at-the-ends-it-flows', { x: f([-1, 0, 1, 2]) }, (v) => ({ y: ops.clip(v.x, -1, 1) }), {
      x: f([1, 1, 1, 0]),
    }),
  ],
  CrossEntropy: [
    smooth('rows', { x, t: i([0, 3, 1]) }, (v) => ({ y: ops.crossEntropyRows(v.x, v.t) })),
    smooth(
      'batch-first-axis',
      { x: noise(151, [4, 3]), t: i([0, 3, 1]) },
      (v) => ({ y: ops.crossEntropyRows(v.x, v.t, 0) }),
      {
        shapes: { x: [4, 'batch'], t: ['batch'] },
      },
    ),
  ],
  GruCell: [
    smooth(
      'everything',
      {
        x: noise(152, [2, 3]),
        h: noise(153, [2, 2]),
        wi: noise(154, [6, 3]),
        wh: noise(155, [6, 2]),
        bi: noise(156, [6]),
        bh: noise(157, [6]),
      },
      (v) => ({ y: ops.gruCell(v.x, v.h, v.wi, v.wh, v.bi, v.bh) }),
    ),
  ],
}
