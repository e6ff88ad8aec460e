/**
 * Every operator at least once, as data: what the tests hold against the reference, and what the tools feed to the
 * official checker and to the oldest runtime. No test runner here, so that scripts can load it.
 */
import {
  bindShape,
  type DType,
  type Graph,
  GraphBuilder,
  type OpName,
  ops,
  type Shape,
  type Tensor,
  type Value,
} from '@fep-moe/core'

/** How an input is filled. */
export type Fill = 'normal' | 'positive' | 'unit' | 'bool' | readonly [low: number, high: number]

export interface InputSpec {
  readonly dtype: DType
  readonly shape: Shape
  readonly fill: Fill
}

export interface OperatorCase {
  readonly id: string
  readonly op: OpName
  readonly inputs: Readonly<Record<string, InputSpec>>
  readonly build: (
    x: Readonly<Record<string, Value>>,
    builder: GraphBuilder,
  ) => Readonly<Record<string, Value>>
  /** Inputs to differentiate; default: the float32 ones. */
  readonly wrt?: readonly string[]
  /** Feeds that random numbers would not give. */
  readonly fixed?: Readonly<Record<string, readonly number[]>>
}

const float = (...shape: Shape): InputSpec => ({ dtype: 'float32', shape, fill: 'normal' })
const positive = (...shape: Shape): InputSpec => ({ dtype: 'float32', shape, fill: 'positive' })
const unit = (...shape: Shape): InputSpec => ({ dtype: 'float32', shape, fill: 'unit' })
const bool = (...shape: Shape): InputSpec => ({ dtype: 'bool', shape, fill: 'bool' })
const int = (low: number, high: number, ...shape: Shape): InputSpec => ({
  dtype: 'int32',
  shape,
  fill: [low, high],
})

const B = 'batch' as const
const list: OperatorCase[] = []
const add = (
  id: string,
  op: OpName,
  inputs: OperatorCase['inputs'],
  build: (x: Record<string, Value>, b: GraphBuilder) => Value | Record<string, Value>,
  more: Partial<OperatorCase> = {},
): void => {
  list.push({
    id,
    op,
    inputs,
    build: (x, b) => {
      const made = build(x as Record<string, Value>, b)
      return 'builder' in made ? { y: made as Value } : (made as Record<string, Value>)
    },
    ...more,
  })
}
const v = (x: Record<string, Value>, name = 'x') => x[name] as Value

// Unary
for (const [op, spec] of [
  ['neg', float],
  ['exp', float],
  ['tanh', float],
  ['sigmoid', float],
  ['erf', float],
  ['sin', float],
  ['cos', float],
  ['log', positive],
  ['sqrt', positive],
] as const) {
  const name = (op[0] as string).toUpperCase() + op.slice(1)
  add(op, name as OpName, { x: spec(B, 3, 4) }, (x) => ops[op](v(x)))
  add(`${op}/empty`, name as OpName, { x: spec(0, 3) }, (x) => ops[op](v(x)))
  add(`${op}/scalar`, name as OpName, { x: spec() }, (x) => ops[op](v(x)))
}
add('neg/int32', 'Neg', { x: int(-5, 5, B, 3) }, (x) => ops.neg(v(x)))
add('not', 'Not', { x: bool(B, 3) }, (x) => ops.not(v(x)))
add('stop-gradient', 'StopGradient', { x: float(B, 3) }, (x) => ops.mul(ops.stopGradient(v(x)), v(x)))
add('size', 'Size', { x: float(B, 3) }, (x) => ops.mul(v(x), ops.cast(ops.size(v(x)), 'float32')))
for (const from of ['float32', 'int32', 'bool'] as const) {
  for (const to of ['float32', 'int32', 'bool'] as const) {
    const spec = from === 'float32' ? float(B, 4) : from === 'int32' ? int(-2, 2, B, 4) : bool(B, 4)
    if (from !== to) add(`cast/${from}-${to}`, 'Cast', { x: spec }, (x) => ops.cast(v(x), to), { wrt: [] })
  }
}
add('cast/truncates', 'Cast', { x: float(6) }, (x) => ops.cast(v(x), 'int32'), {
  wrt: [],
  fixed: { x: [-2.7, -0.5, -0, 0.5, 1.5, 2.7] },
})

// Binary
for (const op of ['add', 'sub', 'mul', 'div', 'max', 'min'] as const) {
  const name = (op[0] as string).toUpperCase() + op.slice(1)
  const right = op === 'div' ? positive : float
  add(op, name as OpName, { a: float(B, 3, 4), b: right(B, 3, 4) }, (x) => ops[op](v(x, 'a'), v(x, 'b')))
  add(`${op}/broadcast`, name as OpName, { a: float(B, 1, 4), b: right(3, 1) }, (x) =>
    ops[op](v(x, 'a'), v(x, 'b')),
  )
  add(`${op}/scalar`, name as OpName, { a: float(), b: right(B, 3) }, (x) => ops[op](v(x, 'a'), v(x, 'b')))
  add(`${op}/empty`, name as OpName, { a: float(0, 3), b: right(3) }, (x) => ops[op](v(x, 'a'), v(x, 'b')))
  add(`${op}/int32`, name as OpName, { a: int(-9, 9, B, 3), b: int(1, 4, 3) }, (x) =>
    ops[op](v(x, 'a'), v(x, 'b')),
  )
}
add('max/tie', 'Max', { a: float(3), b: float(3) }, (x) => ops.max(v(x, 'a'), v(x, 'b')), {
  fixed: { a: [1, 2, 3], b: [1, 3, 2] },
})
add(
  'div/int32-by-zero',
  'Div',
  { a: int(-9, 9, 6), b: int(-2, 2, 6) },
  (x) => ops.div(v(x, 'a'), v(x, 'b')),
  { fixed: { a: [7, -7, -(2 ** 31), 5, 0, -7], b: [0, 0, -1, -1, 0, 2] } },
)
add('div/int32-constant', 'Div', { a: int(-9, 9, B, 6) }, (x) => ops.div(v(x, 'a'), 2))
add('mul/int32-wraps', 'Mul', { a: int(0, 1, 2), b: int(0, 1, 2) }, (x) => ops.mul(v(x, 'a'), v(x, 'b')), {
  fixed: { a: [2 ** 30, 123456789], b: [4, 987654321] },
})
for (const op of ['greater', 'greaterOrEqual', 'equal'] as const) {
  const name = (op[0] as string).toUpperCase() + op.slice(1)
  add(op, name as OpName, { a: float(B, 3), b: float(3) }, (x) => ops[op](v(x, 'a'), v(x, 'b')), { wrt: [] })
  add(`${op}/int32`, name as OpName, { a: int(0, 3, B, 3), b: int(0, 3, 3) }, (x) =>
    ops[op](v(x, 'a'), v(x, 'b')),
  )
}
add('equal/bool', 'Equal', { a: bool(B, 3), b: bool(3) }, (x) => ops.equal(v(x, 'a'), v(x, 'b')))
add('and', 'And', { a: bool(B, 3), b: bool(3) }, (x) => ops.and(v(x, 'a'), v(x, 'b')))
add('where', 'Where', { c: bool(B, 3), a: float(B, 3), b: float(3) }, (x) =>
  ops.where(v(x, 'c'), v(x, 'a'), v(x, 'b')),
)
add('where/int32', 'Where', { c: bool(B, 1), a: int(0, 9, B, 3), b: int(0, 9, 3) }, (x) =>
  ops.where(v(x, 'c'), v(x, 'a'), v(x, 'b')),
)
add('where/bool', 'Where', { c: bool(B, 1), a: bool(B, 3), b: bool(3) }, (x) =>
  ops.where(v(x, 'c'), v(x, 'a'), v(x, 'b')),
)

// Layout
add('constant', 'Constant', { x: float(B, 2) }, (x, b) => ({
  y: ops.add(v(x), b.constant([0.1, -2], [2])),
  k: b.constant([1, 2, 3], [3], 'int32'),
  t: b.constant([1, 0], [2], 'bool'),
}))
add('reshape', 'Reshape', { x: float(B, 3, 4) }, (x) => ops.reshape(v(x), [B, 12]))
add('reshape/merge', 'Reshape', { x: float(3, B, 4) }, (x) => ({
  flat: ops.reshape(v(x), [-1]),
  rows: ops.reshape(v(x), ['3*batch', 4]),
}))
add('reshape/split', 'Reshape', { x: float('6*batch') }, (x) => ops.reshape(v(x), [B, 2, 3]))
add('reshape/empty', 'Reshape', { x: float(0, 3) }, (x) => ops.reshape(v(x), [3, 0, 2]))
add('reshape/empty-batch', 'Reshape', { x: float(B, 0, 3) }, (x) => ops.reshape(v(x), [0, B]))
add('reshape/scalar', 'Reshape', { x: float(1, 1) }, (x) => ops.reshape(v(x), []))
add('transpose', 'Transpose', { x: float(B, 3, 4) }, (x) => ops.permute(v(x), [2, 0, 1]))
add('transpose/int32', 'Transpose', { x: int(0, 9, B, 3) }, (x) => ops.permute(v(x)))
add('expand', 'Expand', { x: float(3, 1) }, (x) => ops.expand(v(x), [2, 3, 4]))
add('expand/batch', 'Expand', { x: float(3, 1), like: float(B, 2) }, (x) => ({
  y: ops.expand(v(x), [B, 3, 2]),
  z: ops.expand(v(x), [2, 3, '4*batch']),
}))
add('expand/batch-multiple', 'Expand', { x: float(3, 1), like: float('2*batch') }, (x) =>
  ops.expand(v(x), [3, B]),
)
add('expand/no-batch', 'Expand', { x: float(3, 1) }, (x) => ops.expand(v(x), [3, B]))
add('expand/bool', 'Expand', { x: bool(3, 1), like: float(B) }, (x) => ops.expand(v(x), [3, B]))
add('expand/empty', 'Expand', { x: float(1, 3) }, (x) => ops.expand(v(x), [0, 3]))
add('slice', 'Slice', { x: float(B, 5, 4) }, (x) => ops.slice(ops.slice(v(x), 1, 1, 4), 2, -2))
add('slice/empty', 'Slice', { x: float(B, 5) }, (x) => ops.slice(v(x), 1, 2, 2))
add('slice/bool', 'Slice', { x: bool(B, 5) }, (x) => ops.slice(v(x), 1, 2, 4))
add('concat', 'Concat', { a: float(B, 2), b: float(B, 3), c: float(B, 0) }, (x) =>
  ops.concat([v(x, 'a'), v(x, 'b'), v(x, 'c'), v(x, 'a')], 1),
)
add('concat/int32', 'Concat', { a: int(0, 9, 2, B), b: int(0, 9, 1, B) }, (x) =>
  ops.concat([v(x, 'a'), v(x, 'b')], 0),
)
add('concat/many', 'Concat', { a: float(B, 1) }, (x) =>
  ops.concat(
    Array.from({ length: 20 }, () => v(x, 'a')),
    1,
  ),
)
add('pad', 'Pad', { x: float(B, 3, 2) }, (x) => ops.pad(ops.pad(v(x), 1, 1, 2, 7), 2, 0, 1))
add('pad/int32', 'Pad', { x: int(0, 9, B, 3) }, (x) => ops.pad(v(x), 1, 1, 2, -1))
add('pad/bool', 'Pad', { x: bool(B, 3) }, (x) => ops.pad(v(x), 1, 1, 2, 1))
add('pad/empty', 'Pad', { x: float(2, 0) }, (x) => ops.pad(v(x), 1, 1, 1, 3))

// Reductions
for (const [op, name] of [
  ['sum', 'ReduceSum'],
  ['reduceMax', 'ReduceMax'],
  ['mean', 'ReduceMean'],
] as const) {
  for (const axes of [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]]) {
    for (const keepdims of [true, false])
      add(`${op}/${axes.join('')}${keepdims ? '/keep' : ''}`, name, { x: float(3, B, 4) }, (x) =>
        ops[op](v(x), axes, keepdims),
      )
  }
  add(`${op}/no-batch`, name, { x: float(5, 7) }, (x) => ops[op](v(x), 0))
  if (op !== 'mean') add(`${op}/int32`, name, { x: int(-9, 9, B, 4) }, (x) => ops[op](v(x), 0))
}
add('sum/empty', 'ReduceSum', { x: float(0, 3) }, (x) => ({
  rows: ops.sum(v(x), 0),
  all: ops.sum(v(x)),
  columns: ops.sum(v(x), 1),
}))
for (const exclusive of [true, false]) {
  for (const reverse of [true, false])
    add(
      `cumsum/${exclusive ? 'exclusive-' : ''}${reverse ? 'reverse' : 'forward'}`,
      'CumSum',
      { x: float(B, 5, 2) },
      (x) => ops.cumsum(v(x), 1, { exclusive, reverse }),
    )
}
add('cumsum/int32', 'CumSum', { x: int(-3, 3, B, 5) }, (x) => ops.cumsum(v(x), 0))

// Products
add('matmul', 'MatMul', { a: float(B, 3, 4), b: float(B, 4, 2) }, (x) => ops.matmul(v(x, 'a'), v(x, 'b')))
add('matmul/plain', 'MatMul', { a: float(B, 4), b: float(4, 2) }, (x) => ops.matmul(v(x, 'a'), v(x, 'b')))
add('matmul/shared-right', 'MatMul', { a: float(2, B, 4), b: float(4, 2) }, (x) =>
  ops.matmul(v(x, 'a'), v(x, 'b')),
)
add('matmul/shared-left', 'MatMul', { a: float(3, 4), b: float(5, 4, B) }, (x) =>
  ops.matmul(v(x, 'a'), v(x, 'b')),
)
add('matmul/broadcast', 'MatMul', { a: float(2, 1, 3, 4), b: float(5, 4, B) }, (x) =>
  ops.matmul(v(x, 'a'), v(x, 'b')),
)
add('matmul/transposed', 'MatMul', { a: float(B, 4, 3), b: float(B, 2, 4) }, (x) =>
  ops.matmul(ops.swapLast(v(x, 'a')), ops.swapLast(v(x, 'b'))),
)
add('matmul/empty-inner', 'MatMul', { a: float(3, 0), b: float(0, 2) }, (x) =>
  ops.matmul(v(x, 'a'), v(x, 'b')),
)
add('matmul/empty-rows', 'MatMul', { a: float(0, 3), b: float(3, 2) }, (x) =>
  ops.matmul(v(x, 'a'), v(x, 'b')),
)
const groups = (id: string, rows: number, offsets: readonly number[]) => {
  const experts = offsets.length - 1
  const inputs = { x: float(rows, 3), w: float(experts, 3, 2), offsets: int(0, 1, experts + 1) }
  add(`grouped/${id}`, 'GroupedMatMul', inputs, (x) => ops.groupedMatMul(v(x), v(x, 'w'), v(x, 'offsets')), {
    fixed: { offsets },
  })
  add(
    `grouped-weight/${id}`,
    'GroupedMatMul',
    { x: float(rows, 3), g: float(rows, 2), offsets: int(0, 1, experts + 1) },
    (x) => ops.groupedMatMulWeight(v(x), v(x, 'g'), v(x, 'offsets')),
    { fixed: { offsets } },
  )
}
groups('all-rows', 7, [0, 3, 3, 7])
groups('rest', 7, [0, 2, 5])
groups('gap-before', 7, [1, 2, 5])
groups('one-expert', 4, [0, 4])
groups('no-expert', 4, [0])
groups('nothing', 4, [0, 0, 0])
groups('no-rows', 0, [0, 0, 0])
add(
  'grouped/batch-rows',
  'GroupedMatMul',
  { x: float('2*batch', 3), w: float(2, 3, 2), offsets: int(0, 1, 3) },
  (x) => ops.groupedMatMul(v(x), v(x, 'w'), v(x, 'offsets')),
  { fixed: { offsets: [0, 1, 2] } },
)

// Indexing
add('gather', 'Gather', { x: float(5, B), i: int(-5, 4, 3) }, (x) => ops.gather(v(x), v(x, 'i'), 0))
add('gather/axis-1', 'Gather', { x: float(B, 5, 2), i: int(-5, 4, 2, 2) }, (x) =>
  ops.gather(v(x), v(x, 'i'), 1),
)
add('gather/batch-of-indices', 'Gather', { x: float(5, 2), i: int(0, 4, B, 3) }, (x) =>
  ops.gather(v(x), v(x, 'i'), 0),
)
add('gather/scalar', 'Gather', { x: float(B, 5), i: int(0, 4) }, (x) => ops.gather(v(x), v(x, 'i'), 1))
add('gather/large-table', 'Gather', { x: float(300, 2), i: int(0, 299, B, 9) }, (x) =>
  ops.gather(v(x), v(x, 'i'), 0),
)
add('scatter', 'ScatterND', { x: float(5, 2), i: int(0, 2, B, 4, 1), u: float(B, 4, 2) }, (x) =>
  ops.scatterAdd(v(x), v(x, 'i'), v(x, 'u')),
)
add('scatter/int32', 'ScatterND', { x: int(0, 9, 5), i: int(0, 2, 8, 1), u: int(0, 9, 8) }, (x) =>
  ops.scatterAdd(v(x), v(x, 'i'), v(x, 'u')),
)
add('scatter/negative', 'ScatterND', { x: float(5, 2), i: int(-5, -1, 4, 1), u: float(4, 2) }, (x) =>
  ops.scatterAdd(v(x), v(x, 'i'), v(x, 'u')),
)
add('scatter/nothing', 'ScatterND', { x: float(5, 2), i: int(0, 1, 0, 1), u: float(0, 2) }, (x) =>
  ops.scatterAdd(v(x), v(x, 'i'), v(x, 'u')),
)
add('gather-elements', 'GatherElements', { x: float(B, 5), i: int(-5, 4, B, 3) }, (x) =>
  ops.gatherElements(v(x), v(x, 'i'), 1),
)
add('gather-elements/middle', 'GatherElements', { x: float(B, 5, 2), i: int(0, 4, B, 3, 2) }, (x) =>
  ops.gatherElements(v(x), v(x, 'i'), 1),
)
add('scatter-elements', 'ScatterElements', { x: float(B, 5), i: int(-2, 1, B, 4), u: float(B, 4) }, (x) =>
  ops.scatterElementsAdd(v(x), v(x, 'i'), v(x, 'u'), 1),
)
add(
  'scatter-elements/int32',
  'ScatterElements',
  { x: int(0, 9, 5, B), i: int(0, 1, 4, B), u: int(0, 9, 4, B) },
  (x) => ops.scatterElementsAdd(v(x), v(x, 'i'), v(x, 'u'), 0),
)
add('topk', 'TopK', { x: float(B, 6) }, (x) => ({ ...ops.topk(v(x), 3) }))
add('topk/axis-0', 'TopK', { x: float(6, B) }, (x) => ({ ...ops.topk(v(x), 2, 0) }))
add('topk/ties', 'TopK', { x: float(2, 5) }, (x) => ({ ...ops.topk(v(x), 4) }), {
  fixed: { x: [1, 3, 3, 1, 3, 0, 0, 0, 0, 0] },
})
add('topk/int32', 'TopK', { x: int(0, 3, B, 6) }, (x) => ({ ...ops.topk(v(x), 6) }))
add('topk/none', 'TopK', { x: float(B, 6) }, (x) => ({ ...ops.topk(v(x), 0) }))
add('topk/values-only', 'TopK', { x: float(B, 6) }, (x) => ops.topk(v(x), 2).values)
add('topk/indices-only', 'TopK', { x: float(B, 6) }, (x) => ops.topk(v(x), 2).indices, { wrt: [] })

// Recurrences
type Layout = { readonly a: Shape; readonly b: Shape; readonly h0: Shape | 0; readonly axis: number }
const recurrences: Readonly<Record<string, Layout>> = {
  'channels-first': { a: [3, 1, 1], b: [3, 6, B], h0: 0, axis: 1 },
  'channels-first/state': { a: [3, 1, 1], b: [3, 6, B], h0: [3, 1, B], axis: 1 },
  'channels-first/shared-state': { a: [3, 1, 1], b: [3, 6, B], h0: [1, 1, 1], axis: 1 },
  'shared-decay': { a: [1, 1, 1], b: [3, 6, B], h0: 0, axis: 1 },
  'many-columns': { a: [3, 1, 1, 1], b: [3, 6, B, 2], h0: [3, 1, B, 2], axis: 1 },
  'two-lanes': { a: [2, 3, 1, 1], b: [2, 3, 6, B], h0: 0, axis: 2 },
  'lane-partly': { a: [1, 3, 1, 1], b: [2, 3, 6, B], h0: [1, 3, 1, B], axis: 2 },
  'time-first': { a: [1, 1, 3], b: [6, B, 3], h0: 0, axis: 0 },
  'time-first/state': { a: [1, 1, 3], b: [6, B, 3], h0: [1, B, 3], axis: 0 },
  'batch-first': { a: [1, 1, 3], b: [B, 6, 3], h0: [B, 1, 3], axis: 1 },
  'time-last': { a: [B, 1], b: [B, 6], h0: [B, 1], axis: 1 },
  vector: { a: [1], b: [6], h0: [1], axis: 0 },
  resets: { a: [B, 6, 3], b: [B, 6, 3], h0: [B, 1, 3], axis: 1 },
  'resets/shared': { a: [1, 6, B], b: [3, 6, B], h0: 0, axis: 1 },
  'one-step': { a: [3, 1, 1], b: [3, 1, B], h0: [3, 1, B], axis: 1 },
  'one-step/from-zero': { a: [3, 1, 1], b: [3, 1, B], h0: 0, axis: 1 },
  'no-step': { a: [3, 1, 1], b: [3, 0, B], h0: [3, 1, B], axis: 1 },
  'longest-product': { a: [3, 1, 1], b: [3, 64, B], h0: [3, 1, B], axis: 1 },
  chunks: { a: [2, 1, 1], b: [2, 150, B], h0: [2, 1, B], axis: 1 },
  'chunks/from-zero': { a: [2, 1, 1], b: [2, 128, B], h0: 0, axis: 1 },
  'chunks/shared': { a: [1, 1, 1], b: [2, 65, B], h0: [1, 1, 1], axis: 1 },
  long: { a: [40, 1, 1], b: [40, 70, B], h0: 0, axis: 1 },
}
for (const [id, { a, b, h0, axis }] of Object.entries(recurrences)) {
  for (const reverse of [false, true]) {
    const inputs: Record<string, InputSpec> = {
      a: unit(...a),
      b: float(...b),
      ...(h0 === 0 ? {} : { h0: float(...h0) }),
    }
    add(`linear-scan/${id}${reverse ? '/reverse' : ''}`, 'LinearScan', inputs, (x) => ({
      ...ops.linearScan(v(x, 'a'), v(x, 'b'), x.h0 ?? 0, { axis, reverse }),
    }))
  }
}
add(
  'linear-scan/only-last',
  'LinearScan',
  { a: unit(3, 1, 1), b: float(3, 6, B) },
  (x) => ops.linearScan(v(x, 'a'), v(x, 'b'), 0, { axis: 1 }).last,
)
add(
  'linear-scan/only-last-of-resets',
  'LinearScan',
  { a: unit(3, 6, 1), b: float(3, 6, B) },
  (x) => ops.linearScan(v(x, 'a'), v(x, 'b'), 0, { axis: 1 }).last,
)
add(
  'linear-scan/special-decays',
  'LinearScan',
  { a: float(4, 1, 1), b: float(4, 6, B) },
  (x) => ({ ...ops.linearScan(v(x, 'a'), v(x, 'b'), 0.5, { axis: 1 }) }),
  { fixed: { a: [0, 1, -0.5, 0.9] }, wrt: ['b'] },
)

/** A leaky cell with a learned matrix: two states, a y that is a state, a constant. */
function cell(steps: Shape, hidden: number): Graph {
  const b = new GraphBuilder('cell')
  const h = b.input('h', 'float32', [...steps, hidden])
  const n = b.input('n', 'int32', [1])
  const x = b.input('x', 'float32', [...steps, hidden])
  const w = b.input('w', 'float32', [hidden, hidden])
  const drive = ops.add(ops.matmul(h, w), x).named('drive')
  const next = ops.mul(ops.tanh(drive), 0.9).named('next')
  b.output('h', next)
  b.output('n', ops.add(n, 1))
  b.output('drive', drive)
  b.output('before', h)
  b.output('twice', drive)
  return b.build()
}
for (const [id, steps, axis, reverse] of [
  ['unrolled', 5, 1, false],
  ['unrolled-reverse', 5, 1, true],
  ['looped', 20, 1, false],
  ['looped-reverse', 20, 1, true],
  ['looped-axis-0', 20, 0, false],
  ['none', 0, 1, false],
  ['one', 1, 0, false],
] as const) {
  const shape = axis === 1 ? ([B, steps, 3] as const) : ([steps, B, 3] as const)
  add(`scan/${id}`, 'Scan', { h: float(B, 3), xs: float(...shape), w: float(3, 3) }, (x, b) => {
    const { last, ys } = ops.scan(
      cell([B], 3),
      { init: [v(x, 'h'), b.constant([0], [1], 'int32')], xs: [v(x, 'xs')], consts: [v(x, 'w')] },
      { axis, reverse, batchAxis: null },
    )
    return {
      last: last[0] as Value,
      count: last[1] as Value,
      drive: ys[0] as Value,
      before: ys[1] as Value,
      twice: ys[2] as Value,
    }
  })
}
add('scan/unread-ys', 'Scan', { h: float(B, 3), xs: float(20, B, 3), w: float(3, 3) }, (x, b) => {
  const { last, ys } = ops.scan(
    cell([B], 3),
    { init: [v(x, 'h'), b.constant([0], [1], 'int32')], xs: [v(x, 'xs')], consts: [v(x, 'w')] },
    { axis: 0 },
  )
  return { last: last[0] as Value, before: ys[1] as Value }
})
add('scan/nested', 'Scan', { h: float(B, 2), xs: float(18, B, 2) }, (x) => {
  const inner = new GraphBuilder('inner')
  const s = inner.input('s', 'float32', [2])
  const e = inner.input('e', 'float32', [2])
  inner.output('s', ops.add(ops.mul(s, 0.5), e))
  inner.output('y', ops.sub(s, e))
  const outer = new GraphBuilder('outer')
  const h = outer.input('h', 'float32', [B, 2])
  const row = outer.input('row', 'float32', [B, 2])
  const wide = ops.expand(ops.reshape(row, [B, 1, 2]), [B, 17, 2])
  const run = ops.scan(inner.build(), { init: [ops.sum(h, 0)], xs: [ops.sum(wide, 0)] }, { axis: 0 })
  outer.output('h', ops.add(h, run.last[0] as Value))
  outer.output('sum', ops.sum(run.ys[0] as Value))
  const { last, ys } = ops.scan(outer.build(), { init: [v(x, 'h')], xs: [v(x, 'xs')] }, { axis: 0 })
  return { last: last[0] as Value, sum: ys[0] as Value }
})

// Composites
for (const op of ['relu', 'gelu', 'silu', 'softplus'] as const) {
  const name = (op[0] as string).toUpperCase() + op.slice(1)
  add(op, name as OpName, { x: float(B, 3, 4) }, (x) => ops[op](v(x)))
  add(`${op}/tails`, name as OpName, { x: float(8) }, (x) => ops[op](v(x)), {
    fixed: { x: [-120, -30, -8, -1e-6, 1e-6, 8, 30, 120] },
  })
}
for (const [op, name] of [
  ['softmax', 'Softmax'],
  ['logSoftmax', 'LogSoftmax'],
] as const) {
  add(op, name, { x: float(B, 3, 4) }, (x) => ops[op](v(x)))
  add(`${op}/axis-0`, name, { x: float(4, B) }, (x) => ops[op](v(x), 0))
  add(`${op}/axis-1`, name, { x: float(B, 4, 3) }, (x) => ops[op](v(x), 1))
  add(`${op}/large`, name, { x: float(2, 3) }, (x) => ops[op](v(x)), {
    fixed: { x: [1000, 1000, 999, -1000, 0, 1000] },
  })
}
add('log-sum-exp', 'LogSumExp', { x: float(B, 4) }, (x) => ({
  last: ops.logSumExp(v(x)),
  keep: ops.logSumExp(v(x), 1, true),
}))
add('layer-norm', 'LayerNorm', { x: float(B, 3, 4), w: float(4), b: float(4) }, (x) =>
  ops.layerNorm(v(x), v(x, 'w'), v(x, 'b')),
)
add('layer-norm/axis-0', 'LayerNorm', { x: float(4, B), w: float(4, 1), b: float(4, 1) }, (x) =>
  ops.layerNorm(v(x), v(x, 'w'), v(x, 'b'), 0),
)
add('layer-norm/scalar-affine', 'LayerNorm', { x: float(B, 4), w: float(), b: float(1) }, (x) =>
  ops.layerNorm(v(x), v(x, 'w'), v(x, 'b'), -1, 1e-3),
)
add('linear', 'Linear', { x: float(B, 4), w: float(3, 4), b: float(3) }, (x) =>
  ops.linear(v(x), v(x, 'w'), v(x, 'b')),
)
add('linear/no-bias', 'Linear', { x: float(B, 4), w: float(3, 4) }, (x) => ops.linear(v(x), v(x, 'w')))
add('linear/sequence', 'Linear', { x: float(B, 5, 4), w: float(3, 4), b: float(3) }, (x) =>
  ops.linear(v(x), v(x, 'w'), v(x, 'b')),
)
add('linear/vector', 'Linear', { x: float(4), w: float(3, 4), b: float(3) }, (x) =>
  ops.linear(v(x), v(x, 'w'), v(x, 'b')),
)
add('linear/empty', 'Linear', { x: float(2, 0), w: float(3, 0), b: float(3) }, (x) =>
  ops.linear(v(x), v(x, 'w'), v(x, 'b')),
)
add('one-hot', 'OneHot', { i: int(-2, 4, B, 3) }, (x) => ops.oneHot(v(x, 'i'), 4))
add(
  'argmax',
  'ArgMax',
  { x: float(B, 4, 3) },
  (x) => ({ last: ops.argmax(v(x)), middle: ops.argmax(v(x), 1, true) }),
  { wrt: [] },
)
add('argmax/ties', 'ArgMax', { x: int(0, 1, B, 6) }, (x) => ops.argmax(v(x)), { wrt: [] })
add('clip', 'Clip', { x: float(B, 4) }, (x) => ops.clip(v(x), -0.5, 0.75))
add('cross-entropy', 'CrossEntropy', { z: float(B, 4), t: int(0, 3, B) }, (x) =>
  ops.crossEntropyRows(v(x, 'z'), v(x, 't')),
)
add('cross-entropy/classes-first', 'CrossEntropy', { z: float(4, 3, B), t: int(0, 3, 3, B) }, (x) =>
  ops.crossEntropyRows(v(x, 'z'), v(x, 't'), 0),
)
add(
  'gru',
  'GruCell',
  { x: float(B, 2), h: float(B, 3), wi: float(9, 2), wh: float(9, 3), bi: float(9), bh: float(9) },
  (x) => ops.gruCell(v(x), v(x, 'h'), v(x, 'wi'), v(x, 'wh'), v(x, 'bi'), v(x, 'bh')),
)

// Surfaces: outputs that are inputs, that are equal, that share a name with an input.
add('surface/passthrough', 'Add', { x: float(B, 2) }, (x) => ({ x: v(x), y: v(x), z: ops.add(v(x), 1) }))
add('surface/twice', 'Add', { x: float(B, 2) }, (x) => {
  const y = ops.add(v(x), 1)
  return { a: y, b: y, x: ops.mul(y, 2) }
})
add('surface/shadow', 'Add', { x: float(B, 2) }, (x) => {
  const y = ops.add(v(x), 1).named('z')
  return { y, z: ops.mul(y, 2).named('y') }
})

/** All cases. */
export const cases: readonly OperatorCase[] = list

/** The graph of a case. */
export function caseGraph({ id, inputs, build }: OperatorCase): Graph {
  const builder = new GraphBuilder(id)
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, shape }]) => [name, builder.input(name, dtype, shape)]),
  )
  for (const [name, value] of Object.entries(build(values, builder))) builder.output(name, value)
  return builder.build()
}

/** Deterministic numbers in [0, 1). */
export function uniform(seed: number): () => number {
  let s = seed >>> 0
  return () => {
    s = (s + 0x6d2b79f5) >>> 0
    let t = Math.imul(s ^ (s >>> 15), s | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Feeds for typed inputs at a batch size. */
export function feedsFor(
  inputs: Readonly<Record<string, InputSpec>>,
  batch: number,
  random: () => number,
  fixed: OperatorCase['fixed'] = {},
): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, shape, fill }]) => {
      const dims = bindShape(shape, batch)
      const count = dims.reduce((n, d) => n * d, 1)
      const next = () => {
        if (fill === 'normal')
          return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
        if (fill === 'positive') return 0.2 + 2 * random()
        if (fill === 'unit') return random()
        if (fill === 'bool') return Math.floor(random() * 2)
        return fill[0] + Math.floor(random() * (fill[1] - fill[0] + 1))
      }
      const numbers = fixed[name] ?? Array.from({ length: count }, next)
      const data =
        dtype === 'float32'
          ? Float32Array.from(numbers)
          : dtype === 'int32'
            ? Int32Array.from(numbers)
            : Uint8Array.from(numbers)
      return [name, { dtype, shape: dims, data }]
    }),
  )
}
