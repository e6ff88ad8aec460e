/** Gradients of elementwise operators, their broadcasting, and of operators that move elements. */
import { ops, type Tensor, type Value } from '@fep-moe/core'
import { b, f, i, noise } from '../frame/data.js'
import { type GradientExample, type GradientsOf, kink, smooth } from './case.js'

type Elementwise =
  | 'Constant'
  | 'Neg'
  | 'Exp'
  | 'Log'
  | 'Sqrt'
  | 'Tanh'
  | 'Sigmoid'
  | 'Erf'
  | 'Sin'
  | 'Cos'
  | 'Add'
  | 'Sub'
  | 'Mul'
  | 'Div'
  | 'Max'
  | 'Min'
  | 'Greater'
  | 'GreaterOrEqual'
  | 'Equal'
  | 'And'
  | 'Not'
  | 'Where'
  | 'Cast'
  | 'StopGradient'
  | 'Size'
  | 'Reshape'
  | 'Transpose'
  | 'Expand'
  | 'Slice'
  | 'Concat'
  | 'Pad'

type Op = (a: Value, b: Value) => Value
const on = (body: (x: Value) => Value, x: Tensor = noise(1, [3, 2])): readonly [GradientExample] => [
  smooth('noise', { x }, (v) => ({ y: body(v.x) })),
]
const positive = noise(2, [3, 2], 0.5, 3)

const both = (op: Op): readonly [GradientExample, ...GradientExample[]] => [
  smooth('same-shape', { a: noise(3, [2, 3]), b: noise(4, [2, 3], 0.5, 2) }, (v) => ({ y: op(v.a, v.b) })),
  smooth('broadcast-both', { a: noise(5, [2, 1, 3]), b: noise(6, [4, 1], 0.5, 2) }, (v) => ({
    y: op(v.a, v.b),
  })),
  smooth('scalar', { a: noise(7, []), b: noise(8, [3], 0.5, 2) }, (v) => ({ y: op(v.a, v.b) })),
  smooth('batch', { a: noise(9, [3, 2]), b: noise(10, [2], 0.5, 2) }, (v) => ({ y: op(v.a, v.b) }), {
    shapes: { a: ['batch', 2] },
  }),
  smooth('same-value-twice', { x: noise(11, [3], 0.5, 2) }, ({ x }) => ({ y: op(x, x) })),
]

/** No two elements closer than the finite differences need. */
const [spreadA, spreadB] = [f([0.1, -0.4, 0.9, 0.3, -0.7, 0.5], [2, 3]), f([0.2, -0.6, 0.7])]

export const elementwise: GradientsOf<Elementwise> = {
  Constant: 'discrete',
  Neg: on(ops.neg),
  Exp: on(ops.exp),
  Log: on(ops.log, positive),
  Sqrt: on(ops.sqrt, positive),
  Tanh: on(ops.tanh),
  Sigmoid: on(ops.sigmoid),
  Erf: on(ops.erf),
  Sin: on(ops.sin),
  Cos: on(ops.cos),
  Add: both(ops.add),
  Sub: both(ops.sub),
  Mul: both(ops.mul),
  Div: both(ops.div),
  Max: [
    smooth('broadcast', { a: spreadA, b: spreadB }, (v) => ({ y: ops.max(v.a, v.b) })),
    kink('a-tie-goes-to-the-first', { a: f([1, 2, 3]), b: f([1, 3, 2]) }, (v) => ({ y: ops.max(v.a, v.b) }), {
      a: f([1, 0, 1]),
      b: f([0, 1, 0]),
    }),
  ],
  Min: [
    smooth('broadcast', { a: spreadA, b: spreadB }, (v) => ({ y: ops.min(v.a, v.b) })),
    kink('a-tie-goes-to-the-first', { a: f([1, 2, 3]), b: f([1, 3, 2]) }, (v) => ({ y: ops.min(v.a, v.b) }), {
      a: f([1, 1, 0]),
      b: f([0, 0, 1]),
    }),
  ],
  Greater: 'discrete',
  GreaterOrEqual: 'discrete',
  Equal: 'discrete',
  And: 'discrete',
  Not: 'discrete',
  Where: [
    smooth('broadcast', { c: b([[1], [0]]), x: noise(12, [3]), y: noise(13, [2, 3]) }, (v) => ({
      z: ops.where(v.c, v.x, v.y),
    })),
    smooth('scalar-branch', { c: b([1, 0, 1]), x: noise(14, [3]), y: noise(15, []) }, (v) => ({
      z: ops.where(v.c, v.y, v.x),
    })),
  ],
  Cast: [
    kink(
      'through-integers-is-zero',
      { x: f([0.7, 2.2]) },
      ({ x }) => ({ y: ops.cast(ops.cast(x, 'int32'), 'float32') }),
      { x: f([0, 0]) },
    ),
  ],
  StopGradient: [
    kink('stops', { x: f([2, 3]) }, ({ x }) => ({ y: ops.stopGradient(x) }), { x: f([0, 0]) }),
    kink('stops-one-of-two-paths', { x: f([2, 3]) }, ({ x }) => ({ y: ops.mul(x, ops.stopGradient(x)) }), {
      x: f([2, 3]),
    }),
  ],
  Size: 'discrete',
  Reshape: [
    smooth('matrix', { x: noise(16, [2, 3]) }, ({ x }) => ({ y: ops.tanh(ops.reshape(x, [3, 2])) })),
    smooth('batch', { x: noise(17, [3, 2, 2]) }, ({ x }) => ({ y: ops.tanh(ops.reshape(x, [-1, 2])) }), {
      shapes: { x: ['batch', 2, 2] },
    }),
  ],
  Transpose: on((x) => ops.sin(ops.permute(x, [2, 0, 1])), noise(18, [2, 3, 2])),
  Expand: [
    smooth('two-axes', { x: noise(19, [2, 1]) }, ({ x }) => ({ y: ops.expand(x, [3, 2, 4]) })),
    smooth(
      'batch',
      { x: noise(20, [2]), like: noise(21, [3, 2]) },
      ({ x, like }) => ({ y: ops.sin(ops.mul(ops.expand(x, like.shape), like)) }),
      { shapes: { like: ['batch', 2] } },
    ),
  ],
  Slice: [
    ...on((x) => ops.slice(x, 0, 1, 3), noise(22, [4, 2])),
    smooth('overlapping-parts-add', { x: noise(23, [4]) }, ({ x }) => ({
      y: ops.mul(ops.slice(x, 0, 0, 3), ops.slice(x, 0, 1, 4)),
    })),
    smooth('two-axes', { x: noise(24, [3, 4]) }, ({ x }) => ({
      y: x.builder.emit('Slice', [x], { axes: [0, 1], starts: [1, 0], ends: [3, 2] })[0] as Value,
    })),
  ],
  Concat: [
    smooth('inner-axis', { a: noise(25, [2, 1]), b: noise(26, [2, 2]) }, (v) => ({
      y: ops.sin(ops.concat([v.a, v.b], 1)),
    })),
    smooth(
      'the-same-part-twice',
      { a: noise(27, [2]), n: i([1, 0]) },
      (v) => ({ y: ops.sin(ops.concat([v.a, v.a], 0)) }),
      { wrt: ['a'] },
    ),
  ],
  Pad: [
    ...on((x) => ops.sin(ops.pad(x, 1, 2, 1, 0.5))),
    smooth('every-axis', { x: noise(28, [2, 2]) }, ({ x }) => ({
      y: x.builder.emit('Pad', [x], { pads: [1, 0, 0, 2], value: 0 })[0] as Value,
    })),
  ],
}
