/** Matrix products, batched and grouped. */
import { ops, type Tensor } from '@fep-moe/core'
import { f, fill, i, noise } from '../frame/data.js'
import { type Example, type ExamplesOf, example } from './case.js'

type Products = 'MatMul' | 'GroupedMatMul'

const product = (id: string, a: Tensor, c: Tensor, y: Tensor): Example =>
  example(id, { a, b: c }, (v) => ({ y: ops.matmul(v.a, v.b) }), { y })

/** The textbook triple loop, in doubles. */
function multiply(a: Tensor, c: Tensor): Tensor {
  const [m, k] = a.shape as [number, number]
  const n = c.shape[1] as number
  return fill([m, n], (at) => {
    let total = 0
    for (let p = 0; p < k; p++)
      total += (a.data[Math.floor(at / n) * k + p] as number) * (c.data[p * n + (at % n)] as number)
    return total
  })
}

const [left, right] = [noise(21, [20, 33]), noise(22, [33, 17])]
const rows = f([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [5, 2])
// Three experts: doubling, swapping, and a sum in the first column.
const experts = f([2, 0, 0, 2, 0, 1, 1, 0, 1, 0, 1, 0], [3, 2, 2])

const grouped = (id: string, x: Tensor, w: Tensor, offsets: readonly number[], y: Tensor): Example =>
  example(id, { x, w, offsets: i([...offsets]) }, (v) => ({ y: ops.groupedMatMul(v.x, v.w, v.offsets) }), {
    y,
  })

const weight = (id: string, x: Tensor, g: Tensor, offsets: readonly number[], y: Tensor): Example =>
  example(
    id,
    { x, g, offsets: i([...offsets]) },
    (v) => ({ y: ops.groupedMatMulWeight(v.x, v.g, v.offsets) }),
    { y },
  )

export const products: ExamplesOf<Products> = {
  MatMul: [
    product(
      '2x3-3x2',
      f([1, 2, 3, 4, 5, 6], [2, 3]),
      f([1, 0, 0, 1, 1, 1], [3, 2]),
      f([4, 5, 10, 11], [2, 2]),
    ),
    product('row-column', f([[1, 2, 3]]), f([[4], [5], [6]]), f([[32]])),
    product('column-row', f([[1], [2]]), f([[3, 4]]), f([3, 4, 6, 8], [2, 2])),
    product('20x33-33x17', left, right, multiply(left, right)),
    product('batches', f([1, 2, 3, 4], [2, 1, 2]), f([1, 1, 2, 0], [2, 2, 1]), f([3, 6], [2, 1, 1])),
    product(
      'batches-broadcast',
      f([1, 2, 3, 4], [2, 1, 1, 2]),
      f([1, 1, 2, 0, 0, 1], [3, 2, 1]),
      f([3, 2, 2, 7, 6, 4], [2, 3, 1, 1]),
    ),
    product(
      'shared-left',
      f([[1, -1]]),
      f([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]),
      f([-2, -2, -2, -2], [2, 1, 2]),
    ),
    product(
      'shared-right',
      f([1, 2, 3, 4], [2, 1, 2]),
      f([1, 2, 3, 4], [2, 2]),
      f([7, 10, 15, 22], [2, 1, 2]),
    ),
    product('inner-0', f([], [2, 0]), f([], [0, 3]), f([0, 0, 0, 0, 0, 0], [2, 3])),
    product('no-rows', f([], [0, 2]), f([1, 2], [2, 1]), f([], [0, 1])),
    example(
      'batch-of-rows',
      { a: f([[1, 2]]), b: f([1, 2, 3, 4], [2, 2]) },
      (v) => ({ y: ops.matmul(v.a, v.b) }),
      { y: f([[7, 10]]) },
      {
        shapes: { a: ['batch', 2] },
        more: [
          {
            feeds: { a: f([0, 1, 1, 0, 1, 1], [3, 2]), b: f([1, 2, 3, 4], [2, 2]) },
            expected: { y: f([3, 4, 1, 2, 4, 6], [3, 2]) },
          },
        ],
      },
    ),
    example(
      'sum-over-the-batch',
      {
        a: f([[1], [2]]),
        g: f([
          [3, 4],
          [5, 6],
        ]),
      },
      (v) => ({ y: ops.matmul(ops.permute(v.a), v.g) }),
      { y: f([[13, 16]]) },
      {
        shapes: { a: ['batch', 1], g: ['batch', 2] },
        more: [{ feeds: { a: f([[2]]), g: f([[1, -1]]) }, expected: { y: f([[2, -2]]) } }],
      },
    ),
  ],
  GroupedMatMul: [
    grouped('three-groups', rows, experts, [0, 2, 3, 5], f([2, 4, 6, 8, 6, 5, 15, 0, 19, 0], [5, 2])),
    grouped('empty-groups', rows, experts, [0, 0, 5, 5], f([2, 1, 4, 3, 6, 5, 8, 7, 10, 9], [5, 2])),
    grouped(
      'rows-past-the-last-offset',
      rows,
      experts,
      [0, 1, 1, 2],
      f([2, 4, 7, 0, 0, 0, 0, 0, 0, 0], [5, 2]),
    ),
    grouped(
      'rows-before-the-first-offset',
      rows,
      experts,
      [3, 4, 5, 5],
      f([0, 0, 0, 0, 0, 0, 14, 16, 10, 9], [5, 2]),
    ),
    grouped('all-empty', rows, experts, [0, 0, 0, 0], f([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [5, 2])),
    grouped(
      'no-inner-columns',
      f([], [5, 0]),
      f([], [3, 0, 2]),
      [0, 2, 3, 5],
      f(new Array(10).fill(0), [5, 2]),
    ),
    grouped('no-rows', f([], [0, 2]), experts, [0, 0, 0, 0], f([], [0, 2])),
    grouped(
      'one-group',
      left,
      fill([1, 33, 17], (k) => right.data[k] as number),
      [0, 20],
      multiply(left, right),
    ),
    weight(
      'weight-gradient',
      rows,
      f([1, 0, 2, 0, 1], [5, 1]),
      [0, 2, 2, 4],
      f([1, 2, 0, 0, 10, 12], [3, 2, 1]),
    ),
    weight(
      'weight-gradient-all-empty',
      rows,
      f([1, 0, 2, 0, 1], [5, 1]),
      [2, 2, 2],
      f([0, 0, 0, 0], [2, 2, 1]),
    ),
  ],
}
