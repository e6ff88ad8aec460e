/** Gathers, scatters and top-k. */
import { ops, type Tensor } from '@fep-moe/core'
import { EXACT } from '../frame/case.js'
import { b, f, fill, i, noise } from '../frame/data.js'
import { type Example, type ExamplesOf, example } from './case.js'

type Indexing = 'Gather' | 'ScatterND' | 'GatherElements' | 'ScatterElements' | 'TopK'

const table = f([1, 2, 3, 4, 5, 6], [3, 2])

const gather = (id: string, x: Tensor, at: Tensor, axis: number, y: Tensor): Example =>
  example(id, { x, at }, (v) => ({ y: ops.gather(v.x, v.at, axis) }), { y }, { tolerance: EXACT })

const scatter = (id: string, x: Tensor, at: Tensor, updates: Tensor, y: Tensor): Example =>
  example(id, { x, at, updates }, (v) => ({ y: ops.scatterAdd(v.x, v.at, v.updates) }), { y })

const elements = (id: string, x: Tensor, at: Tensor, axis: number, y: Tensor): Example =>
  example(id, { x, at }, (v) => ({ y: ops.gatherElements(v.x, v.at, axis) }), { y }, { tolerance: EXACT })

const scatterElements = (
  id: string,
  x: Tensor,
  at: Tensor,
  updates: Tensor,
  axis: number,
  y: Tensor,
): Example =>
  example(id, { x, at, updates }, (v) => ({ y: ops.scatterElementsAdd(v.x, v.at, v.updates, axis) }), { y })

const topk = (id: string, x: Tensor, k: number, axis: number, values: Tensor, indices: Tensor): Example =>
  example(id, { x }, (v) => ({ ...ops.topk(v.x, k, axis) }), { values, indices }, { tolerance: EXACT })

/** Top k of a row, by repeated search for the first maximum. */
function selection(row: readonly number[], k: number): { values: number[]; indices: number[] } {
  const left = [...row]
  const indices = Array.from({ length: k }, () => {
    const best = left.indexOf(Math.max(...left))
    left[best] = Number.NEGATIVE_INFINITY
    return best
  })
  return { values: indices.map((at) => row[at] as number), indices }
}

const long = noise(31, [300])
const longTop = selection(Array.from(long.data), 20)

export const indexing: ExamplesOf<Indexing> = {
  Gather: [
    gather('rows', table, i([2, 0, 2]), 0, f([5, 6, 1, 2, 5, 6], [3, 2])),
    gather('columns', table, i([1]), 1, f([[2], [4], [6]])),
    gather('negative', table, i([-1, -3]), 0, f([5, 6, 1, 2], [2, 2])),
    gather('scalar-index', table, i(1), 0, f([3, 4])),
    gather('matrix-of-indices', table, i([0, 1, 2, 1], [2, 2]), 0, f([1, 2, 3, 4, 5, 6, 3, 4], [2, 2, 2])),
    gather('int32-data', i([10, 20, 30]), i([2, 2]), 0, i([30, 30])),
    gather('bool-data', b([1, 0]), i([1, 0, 0]), 0, b([0, 1, 1])),
    gather('no-index', table, i([], [0]), 0, f([], [0, 2])),
    gather(
      '300-indices',
      fill([40], (k) => k * 2),
      i(Array.from({ length: 300 }, (_, k) => (k * 7) % 40)),
      0,
      fill([300], (k) => ((k * 7) % 40) * 2),
    ),
    example(
      'batch-of-indices',
      { x: table, at: i([[0], [2]]) },
      (v) => ({ y: ops.gather(v.x, v.at, 0) }),
      { y: f([1, 2, 5, 6], [2, 1, 2]) },
      {
        shapes: { at: ['batch', 1] },
        tolerance: EXACT,
        more: [{ feeds: { x: table, at: i([[1]]) }, expected: { y: f([3, 4], [1, 1, 2]) } }],
      },
    ),
  ],
  ScatterND: [
    scatter('rows', table, i([[2], [0]]), f([10, 20, 30, 40], [2, 2]), f([31, 42, 3, 4, 15, 26], [3, 2])),
    scatter('repeated-index-adds', f([1, 1, 1]), i([[1], [1], [1]]), f([1, 2, 3]), f([1, 7, 1])),
    scatter('negative-index', f([1, 1, 1]), i([[-1]]), f([5]), f([1, 1, 6])),
    scatter('int32', i([1, 2]), i([[0], [0]]), i([3, 4]), i([8, 2])),
    scatter('no-update', f([1, 2]), i([], [0, 1]), f([], [0]), f([1, 2])),
    scatter(
      '300-updates-into-3',
      f([0, 0, 0]),
      i(
        Array.from({ length: 300 }, (_, k) => k % 3),
        [300, 1],
      ),
      fill([300], (k) => k),
      f([14850, 14950, 15050]),
    ),
  ],
  GatherElements: [
    elements('inner-axis', f([1, 2, 3, 4], [2, 2]), i([0, 0, 1, 0], [2, 2]), 1, f([1, 1, 4, 3], [2, 2])),
    elements('outer-axis', table, i([2, 0], [1, 2]), 0, f([[5, 2]])),
    elements('negative', f([1, 2, 3]), i([-1, -2]), 0, f([3, 2])),
    elements('int32-data', i([[7, 8, 9]]), i([[2, 2, 0, 1]]), 1, i([[9, 9, 7, 8]])),
    elements('no-index', f([1, 2, 3]), i([], [0]), 0, f([], [0])),
    example(
      'batch',
      { x: f([1, 2, 3, 4], [2, 2]), at: i([[1], [0]]) },
      (v) => ({ y: ops.gatherElements(v.x, v.at, 1) }),
      { y: f([[2], [3]]) },
      {
        shapes: { x: ['batch', 2], at: ['batch', 1] },
        tolerance: EXACT,
        more: [{ feeds: { x: f([[5, 6]]), at: i([[-1]]) }, expected: { y: f([[6]]) } }],
      },
    ),
  ],
  ScatterElements: [
    scatterElements(
      'inner-axis',
      f([0, 0, 0, 0, 0, 0], [2, 3]),
      i([2, 0, 1, 1], [2, 2]),
      f([1, 2, 3, 4], [2, 2]),
      1,
      f([2, 0, 1, 0, 7, 0], [2, 3]),
    ),
    scatterElements(
      'outer-axis',
      table,
      i([0, 2], [1, 2]),
      f([10, 20], [1, 2]),
      0,
      f([11, 2, 3, 4, 5, 26], [3, 2]),
    ),
    scatterElements('repeated-index-adds', f([1, 0]), i([0, 0, 0]), f([1, 2, 3]), 0, f([7, 0])),
    scatterElements('negative', f([1, 0, 0]), i([-1, -3]), f([2, 3]), 0, f([4, 0, 2])),
    scatterElements('int32', i([1, 2]), i([1]), i([40]), 0, i([1, 42])),
    example(
      'batch',
      { x: f([0, 0, 0, 0], [2, 2]), at: i([[1], [0]]), updates: f([[5], [6]]) },
      (v) => ({ y: ops.scatterElementsAdd(v.x, v.at, v.updates, 1) }),
      { y: f([0, 5, 6, 0], [2, 2]) },
      {
        shapes: { x: ['batch', 2], at: ['batch', 1], updates: ['batch', 1] },
        more: [{ feeds: { x: f([[1, 2]]), at: i([[1]]), updates: f([[3]]) }, expected: { y: f([[1, 5]]) } }],
      },
    ),
  ],
  TopK: [
    topk('rows', f([1, 3, 2, 9, 7, 8], [2, 3]), 2, -1, f([3, 2, 9, 8], [2, 2]), i([1, 2, 0, 2], [2, 2])),
    topk('first-axis', f([1, 3, 2, 9, 7, 8], [3, 2]), 1, 0, f([[7, 9]]), i([[2, 1]])),
    topk('everything', f([2, -1, 5]), 3, 0, f([5, 2, -1]), i([2, 0, 1])),
    topk('ties-take-the-lower-index', f([1, 4, 4, 0, 4]), 2, 0, f([4, 4]), i([1, 2])),
    topk(
      'ties-everywhere',
      f([0, 0, 0, 0, 0, 0], [2, 3]),
      3,
      1,
      f([0, 0, 0, 0, 0, 0], [2, 3]),
      i([0, 1, 2, 0, 1, 2], [2, 3]),
    ),
    topk('zeros-of-both-signs-tie', f([-0, 0, -0]), 2, 0, f([0, 0]), i([0, 1])),
    topk(
      'ties-among-300',
      fill([300], (k) => (k % 100 === 7 ? 1 : 0)),
      5,
      0,
      f([1, 1, 1, 0, 0]),
      i([7, 107, 207, 0, 1]),
    ),
    topk('20-of-300', long, 20, 0, f(longTop.values), i(longTop.indices)),
    topk('of-one', f([[5], [6]]), 1, 1, f([[5], [6]]), i([[0], [0]])),
    topk('int32', i([3, 9, 9]), 2, 0, i([9, 9]), i([1, 2])),
    example(
      'batch',
      { x: f([1, 2, 4, 3], [2, 2]) },
      (v) => ({ ...ops.topk(v.x, 1) }),
      { values: f([[2], [4]]), indices: i([[1], [0]]) },
      {
        shapes: { x: ['batch', 2] },
        tolerance: EXACT,
        more: [{ feeds: { x: f([[7, 7]]) }, expected: { values: f([[7]]), indices: i([[0]]) } }],
      },
    ),
  ],
}
