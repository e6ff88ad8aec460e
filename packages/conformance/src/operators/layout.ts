/** Operators that move elements without changing them: every result is exact. */
import { ops, type Tensor, type Value } from '@fep-moe/core'
import { EXACT } from '../frame/case.js'
import { b, f, fill, i } from '../frame/data.js'
import { type Example, type ExampleOptions, type ExamplesOf, example } from './case.js'

type Layout = 'Constant' | 'Reshape' | 'Transpose' | 'Expand' | 'Slice' | 'Concat' | 'Pad'

type X = { readonly x: Tensor }
const moved = (
  id: string,
  x: Tensor,
  body: (x: Value) => Value,
  y: Tensor,
  options: ExampleOptions<X> = {},
): Example => example(id, { x }, (v) => ({ y: body(v.x) }), { y }, { tolerance: EXACT, ...options })

const count = (shape: readonly number[]) => fill(shape, (k) => k)

export const layout: ExamplesOf<Layout> = {
  Constant: [
    example(
      'every-dtype',
      { x: f([1]) },
      ({ x }) => ({
        scalar: x.builder.constant(0.1),
        matrix: x.builder.constant([1, -2.5, 3, 4e10], [2, 2]),
        int: x.builder.constant([1, -2, 2147483647], [3], 'int32'),
        bool: x.builder.constant([1, 0], [2], 'bool'),
        empty: x.builder.constant([], [0, 2]),
        used: ops.add(x, 2),
      }),
      {
        scalar: f(0.1),
        matrix: f([1, -2.5, 3, 4e10], [2, 2]),
        int: i([1, -2, 2147483647]),
        bool: b([true, false]),
        empty: f([], [0, 2]),
        used: f([3]),
      },
      // A double-precision executor keeps 0.1 as it is.
      { tolerance: { atol: 0, rtol: 1e-7 } },
    ),
    example(
      'large',
      { x: f([0.5]) },
      ({ x }) => ({
        y: ops.mul(
          x,
          x.builder.constant(
            Array.from({ length: 700 }, (_, k) => k),
            [700],
          ),
        ),
      }),
      { y: fill([700], (k) => k / 2) },
      { tolerance: EXACT },
    ),
  ],
  Reshape: [
    moved('matrix', count([2, 3]), (x) => ops.reshape(x, [3, 2]), count([3, 2])),
    moved('to-scalar', f([7], [1, 1]), (x) => ops.reshape(x, []), f(7)),
    moved('from-scalar', f(7), (x) => ops.reshape(x, [1, 1, 1]), f([7], [1, 1, 1])),
    moved('empty', f([], [0, 3]), (x) => ops.reshape(x, [3, 0]), f([], [3, 0])),
    moved('int32', i([1, 2, 3, 4]), (x) => ops.reshape(x, [2, 2]), i([1, 2, 3, 4], [2, 2])),
    moved('batch-keeps', count([2, 2, 3]), (x) => ops.reshape(x, ['batch', 6]), count([2, 6]), {
      shapes: { x: ['batch', 2, 3] },
      more: [{ feeds: { x: count([5, 2, 3]) }, expected: { y: count([5, 6]) } }],
    }),
    moved('batch-merges', count([2, 2, 3]), (x) => ops.reshape(x, [-1, 3]), count([4, 3]), {
      shapes: { x: ['batch', 2, 3] },
      more: [{ feeds: { x: count([1, 2, 3]) }, expected: { y: count([2, 3]) } }],
    }),
  ],
  Transpose: [
    moved('matrix', count([2, 3]), (x) => ops.permute(x), f([0, 3, 1, 4, 2, 5], [3, 2])),
    moved(
      'rotate-axes',
      count([2, 3, 2]),
      (x) => ops.permute(x, [2, 0, 1]),
      f([0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11], [2, 2, 3]),
    ),
    moved(
      '1200-elements',
      count([40, 30]),
      (x) => ops.permute(x),
      fill([30, 40], (k) => (k % 40) * 30 + Math.floor(k / 40)),
    ),
    moved('bool', b([1, 0, 0, 1, 1, 0], [2, 3]), (x) => ops.permute(x), b([1, 1, 0, 1, 0, 0], [3, 2])),
    moved(
      'rank-4',
      count([2, 1, 2, 2]),
      (x) => ops.permute(x, [3, 1, 0, 2]),
      f([0, 2, 4, 6, 1, 3, 5, 7], [2, 1, 2, 2]),
    ),
    moved('empty', f([], [0, 2]), (x) => ops.permute(x), f([], [2, 0])),
    moved('batch', count([2, 3]), (x) => ops.permute(x), f([0, 3, 1, 4, 2, 5], [3, 2]), {
      shapes: { x: ['batch', 3] },
      more: [{ feeds: { x: count([1, 3]) }, expected: { y: count([3, 1]) } }],
    }),
  ],
  Expand: [
    moved('column', f([[1], [2]]), (x) => ops.expand(x, [2, 3]), f([1, 1, 1, 2, 2, 2], [2, 3])),
    moved('scalar', f(4), (x) => ops.expand(x, [2, 2]), f([4, 4, 4, 4], [2, 2])),
    moved('new-lead', i([1, 2]), (x) => ops.expand(x, [3, 2]), i([1, 2, 1, 2, 1, 2], [3, 2])),
    moved('to-empty', f([[1]]), (x) => ops.expand(x, [0, 1]), f([], [0, 1])),
    example(
      'batch',
      { x: f([1, 2]), like: count([2, 2]) },
      ({ x, like }) => ({ y: ops.expand(x, like.shape), sum: ops.add(ops.expand(x, ['batch', 2]), like) }),
      { y: f([1, 2, 1, 2], [2, 2]), sum: f([1, 3, 3, 5], [2, 2]) },
      {
        shapes: { like: ['batch', 2] },
        tolerance: EXACT,
        more: [
          {
            feeds: { x: f([3, 4]), like: count([3, 2]) },
            expected: { y: f([3, 4, 3, 4, 3, 4], [3, 2]), sum: f([3, 5, 5, 7, 7, 9], [3, 2]) },
          },
        ],
      },
    ),
  ],
  Slice: [
    moved('middle', count([5]), (x) => ops.slice(x, 0, 1, 4), f([1, 2, 3])),
    moved('inner-axis', count([2, 4]), (x) => ops.slice(x, 1, 2), f([2, 3, 6, 7], [2, 2])),
    moved(
      'two-axes',
      count([3, 4]),
      (x) => x.builder.emit('Slice', [x], { axes: [0, 1], starts: [1, 1], ends: [3, 3] })[0] as Value,
      f([5, 6, 9, 10], [2, 2]),
    ),
    moved('to-empty', count([2, 3]), (x) => ops.slice(x, 1, 3, 3), f([], [2, 0])),
    moved('int32', i([4, 5, 6]), (x) => ops.slice(x, 0, -2), i([5, 6])),
    moved('batch', count([2, 3]), (x) => ops.slice(x, 1, 1, 2), f([[1], [4]]), {
      shapes: { x: ['batch', 3] },
      more: [{ feeds: { x: count([1, 3]) }, expected: { y: f([[1]]) } }],
    }),
  ],
  Concat: [
    example(
      'rows',
      { a: f([[1, 2]]), c: f([3, 4, 5, 6], [2, 2]) },
      ({ a, c }) => ({ y: ops.concat([a, c], 0) }),
      { y: f([1, 2, 3, 4, 5, 6], [3, 2]) },
      { tolerance: EXACT },
    ),
    example(
      'inner-axis',
      { a: f([[1], [2]]), c: f([3, 4, 5, 6], [2, 2]) },
      ({ a, c }) => ({ y: ops.concat([a, c], -1) }),
      { y: f([1, 3, 4, 2, 5, 6], [2, 3]) },
      { tolerance: EXACT },
    ),
    // More operands than a device binds in one pass.
    example(
      '12-operands',
      Object.fromEntries(Array.from({ length: 12 }, (_, k) => [`x${k}`, f([k, k + 0.5], [2, 1])])),
      (v) => ({ y: ops.concat(Object.values(v), 1) }),
      { y: fill([2, 12], (k) => (k % 12) + (k < 12 ? 0 : 0.5)) },
      { tolerance: EXACT },
    ),
    example(
      'empty-part-and-repeat',
      { a: f([1, 2]), none: f([], [0]) },
      ({ a, none }) => ({ y: ops.concat([a, none, a], 0) }),
      { y: f([1, 2, 1, 2]) },
      { tolerance: EXACT },
    ),
    example(
      'int32-batch',
      { a: i([[1], [2]]), c: i([[3], [4]]) },
      ({ a, c }) => ({ y: ops.concat([a, c], 1) }),
      { y: i([1, 3, 2, 4], [2, 2]) },
      {
        shapes: { a: ['batch', 1], c: ['batch', 1] },
        more: [{ feeds: { a: i([[5]]), c: i([[6]]) }, expected: { y: i([[5, 6]]) } }],
      },
    ),
  ],
  Pad: [
    moved('both-sides', f([1, 2]), (x) => ops.pad(x, 0, 2, 1, 9), f([9, 9, 1, 2, 9])),
    moved('inner-axis', count([2, 2]), (x) => ops.pad(x, 1, 1, 0), f([0, 0, 1, 0, 2, 3], [2, 3])),
    moved(
      'every-axis',
      f([[5]]),
      (x) => x.builder.emit('Pad', [x], { pads: [1, 0, 1, 2], value: -1 })[0] as Value,
      f([-1, -1, -1, 5, -1, -1, -1, -1, -1], [3, 3]),
    ),
    moved('from-empty', f([], [0, 2]), (x) => ops.pad(x, 0, 1, 1, 0.5), f([0.5, 0.5, 0.5, 0.5], [2, 2])),
    moved('int32', i([7]), (x) => ops.pad(x, 0, 0, 2, 3), i([7, 3, 3])),
    moved('batch', f([[1], [2]]), (x) => ops.pad(x, 1, 0, 1), f([1, 0, 2, 0], [2, 2]), {
      shapes: { x: ['batch', 1] },
      more: [{ feeds: { x: f([[3]]) }, expected: { y: f([[3, 0]]) } }],
    }),
  ],
}
