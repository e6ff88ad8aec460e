/** Reductions, and composites along an axis. */
import { ops, type Tensor, type Value } from '@fep-moe/core'
import { f, fill, i, noise } from '../../frame/data.js'
import { type FloatOp, type Subject, type SubjectsOf, subject } from '../subject.js'

type Rows = Extract<
  FloatOp,
  | ('ReduceSum' | 'ReduceMax' | 'ReduceMean' | 'CumSum')
  | ('Softmax' | 'LogSoftmax' | 'LogSumExp' | 'LayerNorm' | 'CrossEntropy')
>

type Fold = (row: readonly number[]) => number
const sum: Fold = (row) => row.reduce((n, v) => n + v, 0)
const most: Fold = (row) => Math.max(...row)
const mean: Fold = (row) => sum(row) / row.length
const logSumExp: Fold = (row) => most(row) + Math.log(sum(row.map((v) => Math.exp(v - most(row)))))
const softmax = (row: readonly number[]): number[] => {
  const weights = row.map((v) => Math.exp(v - most(row)))
  return weights.map((w) => w / sum(weights))
}

const rowsOf = ({ shape, data }: Tensor): number[][] =>
  Array.from({ length: shape[0] as number }, (_, r) =>
    Array.from(data.subarray(r * (shape[1] as number), (r + 1) * (shape[1] as number))),
  )
const columnsOf = (t: Tensor): number[][] =>
  Array.from({ length: t.shape[1] as number }, (_, c) => rowsOf(t).map((row) => row[c] as number))

const reduced = (
  what: string,
  x: Tensor,
  body: (x: Value) => Value,
  lists: (t: Tensor) => number[][],
  fold: Fold,
): Subject =>
  subject(
    what,
    { x },
    (v) => ({ y: body(v.x) }),
    (feeds) => ({ y: f(lists(feeds.x).map(fold)) }),
    { tolerance: { atol: 1e-5, rtol: 2e-6 } },
  )

type Reduction = (x: Value, axes?: number | readonly number[], keepdims?: boolean) => Value

/** Short and long rows, few and many columns, everything: executors have a kernel for each. */
const reductions = (op: Reduction, fold: Fold): [Subject, ...Subject[]] => [
  reduced('rows-of-5', noise(601, [3, 5]), (v) => op(v, 1), rowsOf, fold),
  reduced('rows-of-70', noise(602, [2, 70]), (v) => op(v, 1), rowsOf, fold),
  reduced('columns-of-4', noise(603, [4, 37]), (v) => op(v, 0), columnsOf, fold),
  reduced('columns-of-20', noise(604, [20, 6]), (v) => op(v, 0), columnsOf, fold),
  subject(
    'all',
    { x: noise(605, [4, 6]) },
    (v) => ({ y: op(v.x) }),
    (feeds) => ({ y: f(fold(Array.from(feeds.x.data))) }),
    { tolerance: { atol: 1e-5, rtol: 2e-6 } },
  ),
]

const rowwise = (
  what: string,
  body: (x: Value) => Value,
  f_: (row: readonly number[]) => readonly number[],
): Subject =>
  subject(
    what,
    { x: noise(606, [3, 5], -2, 2) },
    (v) => ({ y: body(v.x) }),
    (feeds) => ({ y: f(rowsOf(feeds.x).flatMap(f_), [3, 5]) }),
  )

/** The same along the first axis. */
const columnwise = (body: (x: Value) => Value, f_: (row: readonly number[]) => readonly number[]): Subject =>
  subject(
    'columns',
    { x: noise(607, [5, 3], -2, 2) },
    (v) => ({ y: body(v.x) }),
    (feeds) => {
      const columns = columnsOf(feeds.x).map(f_)
      return { y: fill([5, 3], (k) => columns[k % 3]?.[Math.floor(k / 3)] as number) }
    },
  )

const running = (what: string, exclusive: boolean, reverse: boolean): Subject =>
  subject(
    what,
    { x: noise(608, [2, 5]) },
    (v) => ({ y: ops.cumsum(v.x, 1, { exclusive, reverse }) }),
    (feeds) => ({
      y: f(
        rowsOf(feeds.x).flatMap((row) =>
          row.map((_, t) => {
            const [from, to] = reverse ? [t + (exclusive ? 1 : 0), row.length] : [0, t + (exclusive ? 0 : 1)]
            return sum(row.slice(from, to))
          }),
        ),
        [2, 5],
      ),
    }),
    { lane: 1 },
  )

const targets = i([1, 4, 0])

export const rows: SubjectsOf<Rows> = {
  ReduceSum: reductions(ops.sum, sum),
  ReduceMax: reductions(ops.reduceMax, most),
  ReduceMean: reductions(ops.mean, mean),
  CumSum: [
    running('forward', false, false),
    running('exclusive', true, false),
    running('reverse', false, true),
  ],
  Softmax: [rowwise('rows', (v) => ops.softmax(v), softmax), columnwise((v) => ops.softmax(v, 0), softmax)],
  LogSoftmax: [
    rowwise(
      'rows',
      (v) => ops.logSoftmax(v),
      (row) => row.map((v) => v - logSumExp(row)),
    ),
  ],
  LogSumExp: [
    subject(
      'rows',
      { x: noise(609, [3, 5], -2, 2) },
      (v) => ({ y: ops.logSumExp(v.x) }),
      (feeds) => ({ y: f(rowsOf(feeds.x).map(logSumExp)) }),
    ),
  ],
  LayerNorm: [
    subject(
      'rows',
      { x: noise(610, [3, 5], -2, 2), w: f([1, 2, 0.5, -1, 3]), b: f([0, 1, -1, 0.5, 2]) },
      (v) => ({ y: ops.layerNorm(v.x, v.w, v.b) }),
      (feeds) => ({
        y: f(
          rowsOf(feeds.x).flatMap((row) => {
            const centered = row.map((v) => v - mean(row))
            const deviation = Math.sqrt(mean(centered.map((v) => v * v)) + 1e-5)
            return centered.map(
              (v, k) => (v / deviation) * (feeds.w.data[k] as number) + (feeds.b.data[k] as number),
            )
          }),
          [3, 5],
        ),
      }),
      { tolerance: { atol: 1e-5, rtol: 1e-5 } },
    ),
  ],
  CrossEntropy: [
    subject(
      'rows',
      { z: noise(611, [3, 5], -2, 2), t: targets },
      (v) => ({ y: ops.crossEntropyRows(v.z, v.t) }),
      (feeds) => ({
        y: f(rowsOf(feeds.z).map((row, r) => logSumExp(row) - (row[targets.data[r] as number] as number))),
      }),
      // A product with one-hot rows makes NaN of −∞ beside the target, a choice does not: neither is promised.
      { specials: ['nan', 'infinity'] },
    ),
  ],
}
