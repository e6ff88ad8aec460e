/** Elementwise operators of two operands, and Where. */
import { ops, type Tensor, type Value } from '@fep-moe/core'
import { EXACT } from '../frame/case.js'
import { b, f, fill, i } from '../frame/data.js'
import { type Example, type ExamplesOf, example } from './case.js'

type Binary =
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
  | 'Where'
type Op = (a: Value, b: Value) => Value

const pair = (id: string, op: Op, a: Tensor, bb: Tensor, y: Tensor): Example =>
  example(id, { a, b: bb }, (v) => ({ y: op(v.a, v.b) }), { y })

/** Both operands repeat: (2,1,3) with (4,1). */
const crossed = (op: Op, value: (a: number, b: number) => number): Example => {
  const [a, c] = [f([1, -2, 3, 0.5, 5, -6], [2, 1, 3]), f([2, 1, -3, 4], [4, 1])]
  const at = (k: number) =>
    [a.data[Math.floor(k / 12) * 3 + (k % 3)], c.data[Math.floor(k / 3) % 4]] as [number, number]
  return pair(
    'broadcast-both',
    op,
    a,
    c,
    fill([2, 4, 3], (k) => value(...at(k))),
  )
}

/** More elements than a workgroup has threads; a row of 17 against 19 rows. */
const wide = (op: Op, value: (a: number, b: number) => number): Example => {
  const a = fill([19, 17], (k) => (k - 150) / 8)
  const c = fill([17], (k) => (k + 1) / 4)
  return pair(
    '323-elements',
    op,
    a,
    c,
    fill([19, 17], (k) => value(a.data[k] as number, c.data[k % 17] as number)),
  )
}

const empty = (op: Op, dtype: 'float32' | 'bool' = 'float32'): Example =>
  pair('empty', op, f([], [0, 3]), f([1, 2, 3]), dtype === 'bool' ? b([], [0, 3]) : f([], [0, 3]))

const batched = (op: Op, value: (a: number, b: number) => number): Example => {
  const run = (batch: number) => {
    const feeds = { a: fill([batch, 3], (k) => k - 2), b: f([1, 2, -4]) }
    return {
      feeds,
      expected: {
        y: fill([batch, 3], (k) => value(feeds.a.data[k] as number, feeds.b.data[k % 3] as number)),
      },
    }
  }
  const first = run(1)
  return example('batch', first.feeds, (v) => ({ y: op(v.a, v.b) }), first.expected, {
    shapes: { a: ['batch', 3] },
    more: [run(6)],
  })
}

export const binary: ExamplesOf<Binary> = {
  Add: [
    crossed(ops.add, (a, c) => a + c),
    wide(ops.add, (a, c) => a + c),
    batched(ops.add, (a, c) => a + c),
    pair('scalars', ops.add, f(1.5), f(2), f(3.5)),
    pair('int32-wraps', ops.add, i([1, 2147483647]), i([-5, 1]), i([-4, -2147483648])),
    empty(ops.add),
  ],
  Sub: [
    crossed(ops.sub, (a, c) => a - c),
    wide(ops.sub, (a, c) => a - c),
    pair('int32', ops.sub, i([[1], [2]]), i([3, 5]), i([-2, -4, -1, -3], [2, 2])),
    empty(ops.sub),
  ],
  Mul: [
    crossed(ops.mul, (a, c) => a * c),
    wide(ops.mul, (a, c) => a * c),
    batched(ops.mul, (a, c) => a * c),
    pair('int32-wraps', ops.mul, i([3, 65536, 46341]), i([-4, 65536, 46341]), i([-12, 0, -2147479015])),
    empty(ops.mul),
  ],
  Div: [
    crossed(ops.div, (a, c) => a / c),
    wide(ops.div, (a, c) => a / c),
    pair('int32-truncates', ops.div, i([7, -7, 1, -1]), i([2, 2, 3, 3]), i([3, -3, 0, 0])),
    pair('int32-by-minus-one', ops.div, i([7, -7, 0, 6]), i([-1, -1, -1, -2]), i([-7, 7, 0, -3])),
    empty(ops.div),
  ],
  Max: [
    crossed(ops.max, Math.max),
    wide(ops.max, Math.max),
    pair('int32', ops.max, i([1, -5]), i([-2, -4]), i([1, -4])),
    pair('ties', ops.max, f([2, 0, -1]), f([2, 0, -1]), f([2, 0, -1])),
  ],
  Min: [
    crossed(ops.min, Math.min),
    wide(ops.min, Math.min),
    pair('int32', ops.min, i([1, -5]), i([-2, -4]), i([-2, -5])),
    pair('ties', ops.min, f([2, 0, -1]), f([2, 0, -1]), f([2, 0, -1])),
  ],
  Greater: [
    pair('ties-and-zeros', ops.greater, f([1, 2, 3, 0, -0]), f([2, 2, 2, -0, 0]), b([0, 0, 1, 0, 0])),
    pair('int32-broadcast', ops.greater, i([[1], [3]]), i([2, 3]), b([0, 0, 1, 0], [2, 2])),
    empty(ops.greater, 'bool'),
  ],
  GreaterOrEqual: [
    pair('ties-and-zeros', ops.greaterOrEqual, f([1, 2, 3, 0, -0]), f([2, 2, 2, -0, 0]), b([0, 1, 1, 1, 1])),
    pair('int32-broadcast', ops.greaterOrEqual, i([[1], [3]]), i([2, 3]), b([0, 0, 1, 1], [2, 2])),
    empty(ops.greaterOrEqual, 'bool'),
  ],
  Equal: [
    pair('float-zeros', ops.equal, f([1, 2, 0, 0.1]), f([1, 3, -0, 0.1]), b([1, 0, 1, 1])),
    pair('int32-large', ops.equal, i([16777217, 5]), i([16777216, 5]), b([0, 1])),
    pair('bool', ops.equal, b([1, 1, 0, 0]), b([1, 0, 1, 0]), b([1, 0, 0, 1])),
    pair('broadcast', ops.equal, i([[0], [1]]), i([0, 1, 2]), b([1, 0, 0, 0, 1, 0], [2, 3])),
  ],
  And: [
    pair('table', ops.and, b([1, 1, 0, 0]), b([1, 0, 1, 0]), b([1, 0, 0, 0])),
    pair('broadcast', ops.and, b([[1], [0]]), b([1, 0]), b([1, 0, 0, 0], [2, 2])),
  ],
  Where: [
    example(
      'three-shapes',
      { c: b([[1], [0]]), x: f([1, 2, 3]), y: f(-1) },
      (v) => ({ z: ops.where(v.c, v.x, v.y) }),
      { z: f([1, 2, 3, -1, -1, -1], [2, 3]) },
      { tolerance: EXACT },
    ),
    example(
      'int32',
      { c: b([1, 0, 1]), x: i([1, 2, 3]), y: i([4, 5, 6]) },
      (v) => ({ z: ops.where(v.c, v.x, v.y) }),
      { z: i([1, 5, 3]) },
    ),
    example(
      'condition-broadcasts-to-lead',
      { c: b([1, 0, 0, 1], [2, 2, 1]), x: f([10, 20]), y: f([-1, -2]) },
      (v) => ({ z: ops.where(v.c, v.x, v.y) }),
      { z: f([10, 20, -1, -2, -1, -2, 10, 20], [2, 2, 2]) },
      { tolerance: EXACT },
    ),
    example('empty', { c: b([], [0]), x: f([], [0]), y: f([5]) }, (v) => ({ z: ops.where(v.c, v.x, v.y) }), {
      z: f([], [0]),
    }),
  ],
}
