/** Operators that move or choose elements: a number stays what it is, and goes where it must. */
import { ops, type Tensor, type Value } from '@fep-moe/core'
import { EXACT } from '../../frame/case.js'
import { f, fill, i } from '../../frame/data.js'
import { type FloatOp, type Subject, type SubjectsOf, subject, type Tensors } from '../subject.js'

type Moves = Extract<
  FloatOp,
  | ('Reshape' | 'Transpose' | 'Expand' | 'Slice' | 'Concat' | 'Pad')
  | ('Gather' | 'GatherElements' | 'ScatterND' | 'ScatterElements' | 'TopK' | 'ArgMax')
>

const x = f([1, 2, 3, 4, 5, 6], [2, 3])

/** Every element of the result is an element of x, or a number that stands there anyway. */
const moved = (
  what: string,
  body: (x: Value) => Value,
  shape: readonly number[],
  from: readonly (number | { readonly fill: number })[],
): Subject =>
  subject(
    what,
    { x },
    (v) => ({ y: body(v.x) }),
    (feeds) => ({
      y: f(
        from.map((at) => (typeof at === 'number' ? (feeds.x.data[at] as number) : at.fill)),
        shape,
      ),
    }),
    { tolerance: EXACT },
  )

const seven = { fill: 7 }

/** Adds updates to a copy of x, at flat places. */
const added = (feeds: { readonly x: Tensor; readonly u: Tensor }, places: readonly number[]): Tensors => {
  const data = Float64Array.from(feeds.x.data)
  places.forEach((at, k) => {
    data[at] = (data[at] as number) + (feeds.u.data[k] as number)
  })
  return { y: fill(feeds.x.shape, (k) => data[k] as number) }
}

/** Two rows of five; the order is by value, equal ones by index. */
const scores = f([3, 1, 4, 1, 5, 9, 2, 6, 5, 3], [2, 5])
function ranked(t: Tensor, k: number): { readonly values: Tensor; readonly indices: Tensor } {
  const width = t.shape[1] as number
  const order = [0, 1].flatMap((row) => {
    const at = (c: number) => t.data[row * width + c] as number
    const left = Array.from({ length: width }, (_, c) => c)
    // Repeated search for the first maximum: infinities need no difference.
    return Array.from({ length: k }, () => {
      const best = left.reduce((most, c) => (at(c) > at(most) ? c : most))
      left.splice(left.indexOf(best), 1)
      return best
    })
  })
  const shape = [2, k]
  return {
    values: f(
      order.map((c, n) => t.data[Math.floor(n / k) * width + c] as number),
      shape,
    ),
    indices: i(order, shape),
  }
}

export const moves: SubjectsOf<Moves> = {
  Reshape: [moved('3-by-2', (v) => ops.reshape(v, [3, 2]), [3, 2], [0, 1, 2, 3, 4, 5])],
  Transpose: [moved('3-by-2', (v) => ops.permute(v), [3, 2], [0, 3, 1, 4, 2, 5])],
  Expand: [
    moved('repeated', (v) => ops.expand(v, [2, 2, 3]), [2, 2, 3], [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]),
  ],
  Slice: [moved('a-column-left-out', (v) => ops.slice(v, 1, 0, 2), [2, 2], [0, 1, 3, 4])],
  Concat: [moved('with-itself', (v) => ops.concat([v, v], 1), [2, 6], [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5])],
  Pad: [
    moved('with-7', (v) => ops.pad(v, 1, 1, 1, 7), [2, 5], [seven, 0, 1, 2, seven, seven, 3, 4, 5, seven]),
  ],
  Gather: [
    subject(
      'columns',
      { x, at: i([2, 0, 2]) },
      (v) => ({ y: ops.gather(v.x, v.at, 1) }),
      (feeds) => ({
        y: f(
          [2, 0, 2, 5, 3, 5].map((k) => feeds.x.data[k] as number),
          [2, 3],
        ),
      }),
      { tolerance: EXACT },
    ),
  ],
  GatherElements: [
    subject(
      'rows',
      { x, at: i([2, 2, 0, 1], [2, 2]) },
      (v) => ({ y: ops.gatherElements(v.x, v.at, 1) }),
      (feeds) => ({
        y: f(
          [2, 2, 3, 4].map((k) => feeds.x.data[k] as number),
          [2, 2],
        ),
      }),
      { tolerance: EXACT },
    ),
  ],
  ScatterND: [
    subject(
      'rows',
      { x, at: i([[1], [1]]), u: f([10, 20, 30, 40, 50, 60], [2, 3]) },
      (v) => ({ y: ops.scatterAdd(v.x, v.at, v.u) }),
      (feeds) => added(feeds, [3, 4, 5, 3, 4, 5]),
    ),
  ],
  ScatterElements: [
    subject(
      'rows',
      { x, at: i([2, 2, 0, 1], [2, 2]), u: f([10, 20, 30, 40], [2, 2]) },
      (v) => ({ y: ops.scatterElementsAdd(v.x, v.at, v.u, 1) }),
      (feeds) => added(feeds, [2, 2, 3, 4]),
    ),
  ],
  TopK: [
    subject(
      '3-of-5',
      { x: scores },
      (v) => ({ ...ops.topk(v.x, 3) }),
      (feeds) => ranked(feeds.x, 3),
      { tolerance: EXACT, lane: 1, unordered: true },
    ),
  ],
  ArgMax: [
    subject(
      'rows',
      { x: scores },
      (v) => ({ y: ops.argmax(v.x, 1, true) }),
      (feeds) => ({ y: ranked(feeds.x, 1).indices }),
      { tolerance: EXACT, lane: 1, unordered: true },
    ),
  ],
}
