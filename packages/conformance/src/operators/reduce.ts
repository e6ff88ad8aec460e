/** Reductions and running sums. */
import { ops, type Tensor, type Value } from '@fep-moe/core'
import { f, fill, i, noise } from '../frame/data.js'
import { type Example, type ExampleOptions, type ExamplesOf, example } from './case.js'

type Reduce = 'ReduceSum' | 'ReduceMax' | 'CumSum'
type X = { readonly x: Tensor }

const reduced = (
  id: string,
  x: Tensor,
  body: (x: Value) => Value,
  y: Tensor,
  options: ExampleOptions<X> = {},
): Example => example(id, { x }, (v) => ({ y: body(v.x) }), { y }, options)

const cube = f([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [2, 3, 2])
const signed = f([-3, -1, -2, -8, -9, -7], [2, 3])
const large = noise(11, [5, 700])
const rowsOf = (t: Tensor, width: number) =>
  Array.from({ length: t.data.length / width }, (_, r) =>
    Array.from(t.data.subarray(r * width, (r + 1) * width)),
  )

/** Row sums by pairs: another order than any executor has, in doubles. */
const pairwise = (row: readonly number[]): number =>
  row.length === 1
    ? (row[0] as number)
    : pairwise(row.slice(0, row.length >> 1)) + pairwise(row.slice(row.length >> 1))

export const reduce: ExamplesOf<Reduce> = {
  ReduceSum: [
    reduced('last-axis', cube, (x) => ops.sum(x, -1), f([3, 7, 11, 15, 19, 23], [2, 3])),
    reduced('two-axes-kept', cube, (x) => ops.sum(x, [0, 2], true), f([18, 26, 34], [1, 3, 1])),
    reduced('all', cube, (x) => ops.sum(x), f(78)),
    reduced('700-per-row', large, (x) => ops.sum(x, 1), f(rowsOf(large, 700).map(pairwise)), {
      tolerance: { atol: 2e-5, rtol: 2e-6 },
    }),
    reduced(
      'columns-of-700',
      large,
      (x) => ops.sum(x, 0),
      fill([700], (k) => pairwise([0, 1, 2, 3, 4].map((r) => large.data[r * 700 + k] as number))),
    ),
    reduced('int32', i([1, -2, 3, 4], [2, 2]), (x) => ops.sum(x, 0), i([4, 2])),
    reduced('axis-of-0', f([], [2, 0]), (x) => ops.sum(x, 1), f([0, 0])),
    reduced('axis-of-1', f([[1], [2]]), (x) => ops.sum(x, 1), f([1, 2])),
    reduced('batch', f([1, 2, 3, 4], [2, 2]), (x) => ops.sum(x, 0), f([4, 6]), {
      shapes: { x: ['batch', 2] },
      more: [{ feeds: { x: f([[5, 6]]) }, expected: { y: f([5, 6]) } }],
    }),
  ],
  ReduceMax: [
    reduced('negative', signed, (x) => ops.reduceMax(x, 1), f([-1, -7])),
    reduced('first-axis-kept', signed, (x) => ops.reduceMax(x, 0, true), f([[-3, -1, -2]])),
    reduced('all', signed, (x) => ops.reduceMax(x), f(-1)),
    reduced('ties', f([2, 2, 1]), (x) => ops.reduceMax(x, 0), f(2)),
    reduced(
      '700-per-row',
      large,
      (x) => ops.reduceMax(x, 1),
      f(rowsOf(large, 700).map((row) => Math.max(...row))),
    ),
    reduced('int32', i([1, -2, -3, 4], [2, 2]), (x) => ops.reduceMax(x, 1), i([1, 4])),
    reduced('batch', f([1, 5, 3, 4], [2, 2]), (x) => ops.reduceMax(x, 1), f([5, 4]), {
      shapes: { x: ['batch', 2] },
      more: [{ feeds: { x: f([[-5, -6]]) }, expected: { y: f([-5]) } }],
    }),
  ],
  CumSum: [
    reduced('forward', f([1, 2, 3, 4]), (x) => ops.cumsum(x, 0), f([1, 3, 6, 10])),
    reduced('exclusive', f([1, 2, 3, 4]), (x) => ops.cumsum(x, 0, { exclusive: true }), f([0, 1, 3, 6])),
    reduced('reverse', f([1, 2, 3, 4]), (x) => ops.cumsum(x, 0, { reverse: true }), f([10, 9, 7, 4])),
    reduced(
      'exclusive-reverse',
      f([1, 2, 3, 4]),
      (x) => ops.cumsum(x, 0, { exclusive: true, reverse: true }),
      f([9, 7, 4, 0]),
    ),
    reduced(
      'middle-axis',
      cube,
      (x) => ops.cumsum(x, 1),
      f([1, 2, 4, 6, 9, 12, 7, 8, 16, 18, 27, 30], [2, 3, 2]),
    ),
    reduced('int32', i([[5, -7, 1]]), (x) => ops.cumsum(x, 1), i([[5, -2, -1]])),
    reduced(
      '300-long',
      fill([300], () => 1),
      (x) => ops.cumsum(x, 0),
      fill([300], (k) => k + 1),
    ),
    reduced('batch', f([1, 2, 3, 4], [2, 2]), (x) => ops.cumsum(x, 1), f([1, 3, 3, 7], [2, 2]), {
      shapes: { x: ['batch', 2] },
      more: [{ feeds: { x: f([[5, 6]]) }, expected: { y: f([[5, 11]]) } }],
    }),
  ],
}
