/** Composites along an axis: softmax and its kin, means, one-hot rows. */
import { ops } from '@fep-moe/core'
import { f, fill, i } from '../frame/data.js'
import { type ExamplesOf, example } from './case.js'
import { logSumExp, on, rowwise, small, softmax, wide } from './row-formulas.js'

type Rows = 'Softmax' | 'LogSoftmax' | 'LogSumExp' | 'CrossEntropy' | 'ReduceMean' | 'ArgMax' | 'OneHot'

export const rows: ExamplesOf<Rows> = {
  Softmax: [
    on('rows', small, (x) => ops.softmax(x), f(rowwise(small, 3, softmax), [2, 3])),
    on('300-per-row', wide, (x) => ops.softmax(x), f(rowwise(wide, 300, softmax), [3, 300])),
    on(
      'large-logits',
      f([[1000, 999, -1000]]),
      (x) => ops.softmax(x),
      f([[0.7310585786300049, 0.2689414213699951, 0]]),
    ),
    on('one-class', f([[5], [-5]]), (x) => ops.softmax(x), f([[1], [1]])),
    on(
      'first-axis',
      f([
        [0, 1],
        [0, 1],
      ]),
      (x) => ops.softmax(x, 0),
      f([0.5, 0.5, 0.5, 0.5], [2, 2]),
    ),
    on('batch', f([[0, Math.log(3)]]), (x) => ops.softmax(x), f([[0.25, 0.75]]), {
      shapes: { x: ['batch', 2] },
      more: [
        {
          feeds: { x: f([1, 1, 0, 100, -7, -7], [3, 2]) },
          expected: { y: f([0.5, 0.5, 0, 1, 0.5, 0.5], [3, 2]) },
        },
      ],
    }),
  ],
  LogSoftmax: [
    on(
      'rows',
      small,
      (x) => ops.logSoftmax(x),
      f(
        rowwise(small, 3, (row) => row.map((v) => v - logSumExp(row))),
        [2, 3],
      ),
    ),
    on(
      '300-per-row',
      wide,
      (x) => ops.logSoftmax(x),
      f(
        rowwise(wide, 300, (row) => row.map((v) => v - logSumExp(row))),
        [3, 300],
      ),
    ),
    on('large-logits', f([[1000, 0]]), (x) => ops.logSoftmax(x), f([[0, -1000]])),
    on(
      'first-axis',
      f([
        [2, 5],
        [2, 5],
      ]),
      (x) => ops.logSoftmax(x, 0),
      fill([2, 2], () => -Math.LN2),
    ),
  ],
  LogSumExp: [
    on('rows', small, (x) => ops.logSumExp(x), f(rowwise(small, 3, (row) => [logSumExp(row)]))),
    on(
      'kept-first-axis',
      f([
        [0, 1000],
        [0, 1000],
      ]),
      (x) => ops.logSumExp(x, 0, true),
      f([[Math.LN2, 1000 + Math.LN2]]),
    ),
    on('one', f([[-3]]), (x) => ops.logSumExp(x), f([-3])),
  ],
  CrossEntropy: [
    example('rows', { z: small, t: i([0, 2]) }, (v) => ({ y: ops.crossEntropyRows(v.z, v.t) }), {
      y: f([logSumExp([1, 2, 3]) - 1, logSumExp([-1, 0, 4]) - 4]),
    }),
    example(
      'large-logits',
      {
        z: f([
          [1000, 0],
          [0, 1000],
        ]),
        t: i([1, 1]),
      },
      (v) => ({ y: ops.crossEntropyRows(v.z, v.t) }),
      { y: f([1000, 0]) },
    ),
    example(
      'first-axis',
      {
        z: f([
          [0, 2],
          [0, 2],
        ]),
        t: i([0, 1]),
      },
      (v) => ({ y: ops.crossEntropyRows(v.z, v.t, 0) }),
      { y: f([Math.LN2, Math.LN2]) },
    ),
    example(
      'batch-and-time',
      { z: f([0, 0, 0, 0], [1, 2, 2]), t: i([[0, 1]]) },
      (v) => ({ y: ops.crossEntropyRows(v.z, v.t) }),
      { y: f([[Math.LN2, Math.LN2]]) },
      {
        shapes: { z: ['batch', 2, 2], t: ['batch', 2] },
        more: [
          {
            feeds: { z: f([0, 0, 1, 1, 2, 2, 0, Math.log(3)], [2, 2, 2]), t: i([0, 1, 1, 0], [2, 2]) },
            expected: { y: f([Math.LN2, Math.LN2, Math.LN2, Math.log(4)], [2, 2]) },
          },
        ],
      },
    ),
  ],
  ReduceMean: [
    on('rows', small, (x) => ops.mean(x, 1), f([2, 1])),
    on('first-axis-kept', small, (x) => ops.mean(x, 0, true), f([[0, 1, 3.5]])),
    on('all', small, (x) => ops.mean(x), f(1.5)),
    on(
      'over-the-batch',
      f([
        [1, 2],
        [3, 4],
      ]),
      (x) => ops.mean(x, 0),
      f([2, 3]),
      {
        shapes: { x: ['batch', 2] },
        more: [{ feeds: { x: f([1, 0, 2, 0, 6, 3], [3, 2]) }, expected: { y: f([3, 1]) } }],
      },
    ),
    on('over-batch-and-more', f([1, 2, 3, 4], [2, 1, 2]), (x) => ops.mean(x), f(2.5), {
      shapes: { x: ['batch', 1, 2] },
      more: [{ feeds: { x: f([5, 7], [1, 1, 2]) }, expected: { y: f(6) } }],
    }),
  ],
  ArgMax: [
    on('rows', small, (x) => ops.argmax(x), i([2, 2])),
    on('ties-take-the-lower-index', f([3, 7, 7, 1, 1, 1], [2, 3]), (x) => ops.argmax(x), i([1, 0])),
    on('first-axis-kept', small, (x) => ops.argmax(x, 0, true), i([[0, 0, 1]])),
    on(
      'ties-among-300',
      fill([1, 300], (k) => (k % 90 === 80 ? 2 : -2)),
      (x) => ops.argmax(x),
      i([80]),
    ),
    on('batch', f([[1, 2]]), (x) => ops.argmax(x), i([1]), {
      shapes: { x: ['batch', 2] },
      more: [{ feeds: { x: f([5, 4, 4, 5, 4, 4], [3, 2]) }, expected: { y: i([0, 1, 0]) } }],
    }),
  ],
  OneHot: [
    on('vector', i([2, 0]), (x) => ops.oneHot(x, 3), f([0, 0, 1, 1, 0, 0], [2, 3])),
    on('outside-is-zeros', i([-1, 3, 1]), (x) => ops.oneHot(x, 3), f([0, 0, 0, 0, 0, 0, 0, 1, 0], [3, 3])),
    on('scalar', i(1), (x) => ops.oneHot(x, 2), f([0, 1])),
    on('batch', i([[1], [0]]), (x) => ops.oneHot(x, 2), f([0, 1, 1, 0], [2, 1, 2]), {
      shapes: { x: ['batch', 1] },
      more: [{ feeds: { x: i([[1]]) }, expected: { y: f([0, 1], [1, 1, 2]) } }],
    }),
  ],
}
