/** Elementwise operators of one operand. */
import { ops, type Tensor, type Value } from '@fep-moe/core'
import { EXACT } from '../frame/case.js'
import { b, f, fill, i, mapped } from '../frame/data.js'
import { type Example, type ExamplesOf, example } from './case.js'

type Unary =
  | 'Neg'
  | 'Exp'
  | 'Log'
  | 'Sqrt'
  | 'Tanh'
  | 'Sigmoid'
  | 'Erf'
  | 'Sin'
  | 'Cos'
  | 'Not'
  | 'Cast'
  | 'StopGradient'
  | 'Size'

const table = (op: (x: Value) => Value, rows: readonly (readonly [number, number])[]): Example =>
  example('table', { x: f(rows.map(([x]) => x)) }, ({ x }) => ({ y: op(x) }), {
    y: f(rows.map(([, y]) => y)),
  })

/** More elements than a workgroup has threads, and not a multiple of anything. */
const wide = (op: (x: Value) => Value, from: number, to: number, y: (x: number) => number): Example => {
  const x = fill([7, 43], (k) => from + ((to - from) * k) / 300)
  return example('301-elements', { x }, (v) => ({ y: op(v.x) }), { y: mapped(x, y) })
}

const shaped = (op: (x: Value) => Value, at: number, y: number): Example[] => [
  example('scalar', { x: f(at) }, ({ x }) => ({ y: op(x) }), { y: f(y) }),
  example('empty', { x: f([], [0, 3]) }, ({ x }) => ({ y: op(x) }), { y: f([], [0, 3]) }),
]

const cast = (id: string, x: Tensor, y: Tensor, tolerance = EXACT): Example =>
  example(id, { x }, (v) => ({ y: ops.cast(v.x, y.dtype) }), { y }, { tolerance })

export const unary: ExamplesOf<Unary> = {
  Neg: [
    table(ops.neg, [
      [1.5, -1.5],
      [-2, 2],
      [0, 0],
    ]),
    example('int32', { x: i([5, -7, 2147483647]) }, ({ x }) => ({ y: ops.neg(x) }), {
      y: i([-5, 7, -2147483647]),
    }),
    ...shaped(ops.neg, 3, -3),
  ],
  Exp: [
    table(ops.exp, [
      [0, 1],
      [1, Math.E],
      [-1, 0.36787944117144233],
      [10, 22026.465794806718],
      [-200, 0],
    ]),
    wide(ops.exp, -3, 3, Math.exp),
    ...shaped(ops.exp, 2, 7.38905609893065),
  ],
  Log: [
    table(ops.log, [
      [1, 0],
      [Math.E, 1],
      [0.5, -Math.LN2],
      [1e-8, -18.420680743952367],
    ]),
    wide(ops.log, 0.1, 9, Math.log),
    ...shaped(ops.log, 10, Math.LN10),
  ],
  Sqrt: [
    table(ops.sqrt, [
      [0, 0],
      [4, 2],
      [2, Math.SQRT2],
      [1e10, 1e5],
    ]),
    wide(ops.sqrt, 0, 9, Math.sqrt),
    ...shaped(ops.sqrt, 9, 3),
  ],
  Tanh: [
    table(ops.tanh, [
      [0, 0],
      [0.5, 0.46211715726000974],
      [-0.5, -0.46211715726000974],
      [1e-4, 9.999999966666667e-5],
      [100, 1],
      [-100, -1],
      [1000, 1],
    ]),
    wide(ops.tanh, -4, 4, Math.tanh),
    ...shaped(ops.tanh, 1, 0.7615941559557649),
  ],
  Sigmoid: [
    table(ops.sigmoid, [
      [0, 0.5],
      [1, 0.7310585786300049],
      [-1, 0.2689414213699951],
      [100, 1],
      [-100, 0],
      [1000, 1],
      [-1000, 0],
    ]),
    wide(ops.sigmoid, -6, 6, (x) => 1 / (1 + Math.exp(-x))),
    ...shaped(ops.sigmoid, 2, 0.8807970779778823),
  ],
  Erf: [
    // Abramowitz and Stegun, table 7.1, to the digits of a double.
    table(ops.erf, [
      [0, 0],
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [-2, -0.9953222650189527],
      [3, 0.9999779095030014],
      [6, 1],
      [-6, -1],
    ]),
    ...shaped(ops.erf, 1.5, 0.9661051464753108),
  ],
  Sin: [
    table(ops.sin, [
      [0, 0],
      [Math.PI / 6, 0.5],
      [Math.PI / 2, 1],
      [-1, -0.8414709848078965],
      [100, -0.5063656411097588],
    ]),
    wide(ops.sin, -7, 7, Math.sin),
    ...shaped(ops.sin, 3, 0.1411200080598672),
  ],
  Cos: [
    table(ops.cos, [
      [0, 1],
      [Math.PI / 3, 0.5],
      [Math.PI, -1],
      [-1, 0.5403023058681398],
      [100, 0.8623188722876839],
    ]),
    wide(ops.cos, -7, 7, Math.cos),
    ...shaped(ops.cos, 3, -0.9899924966004454),
  ],
  Not: [
    example('both', { x: b([[true, false]]) }, ({ x }) => ({ y: ops.not(x) }), { y: b([[false, true]]) }),
    example('empty', { x: b([], [0]) }, ({ x }) => ({ y: ops.not(x) }), { y: b([], [0]) }),
  ],
  Cast: [
    cast('float-to-int-truncates', f([2.7, -2.7, -0.5, 0, 100000]), i([2, -2, 0, 0, 100000])),
    cast('float-to-bool', f([0, -0, 0.5, -3]), b([false, false, true, true])),
    // The last one does not fit single precision; a double-precision executor keeps it.
    cast('int-to-float', i([[3], [-4], [16777217]]), f([[3], [-4], [16777216]]), { atol: 0, rtol: 1e-7 }),
    cast('int-to-bool', i([0, 7, -1]), b([false, true, true])),
    cast('bool-to-float', b([true, false]), f([1, 0])),
    cast('bool-to-int', b([true, false]), i([1, 0])),
    cast('empty', i([], [2, 0]), f([], [2, 0])),
  ],
  StopGradient: [
    example(
      'identity',
      { x: f([1.25, -0.1]) },
      ({ x }) => ({ y: ops.stopGradient(x) }),
      { y: f([1.25, -0.1]) },
      { tolerance: EXACT },
    ),
    example('int32', { x: i([3]) }, ({ x }) => ({ y: ops.stopGradient(x) }), { y: i([3]) }),
  ],
  Size: [
    example('matrix', { x: f([1, 2, 3, 4, 5, 6], [2, 3]) }, ({ x }) => ({ y: ops.size(x) }), { y: i(6) }),
    example('scalar', { x: f(1) }, ({ x }) => ({ y: ops.size(x) }), { y: i(1) }),
    example('empty', { x: i([], [4, 0]) }, ({ x }) => ({ y: ops.size(x) }), { y: i(0) }),
    example(
      'batch',
      { x: fill([2, 5], (k) => k) },
      ({ x }) => ({ y: ops.size(x) }),
      { y: i(10) },
      {
        shapes: { x: ['batch', 5] },
        more: [{ feeds: { x: fill([7, 5], (k) => k) }, expected: { y: i(35) } }],
      },
    ),
  ],
}
