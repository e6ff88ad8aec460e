/** Graphs that several tests run. */
import { type Graph, GraphBuilder, ops, type Value } from '@fep-moe/core'

/** s' = s + x, y = 2 s' */
export function counter(): Graph {
  const b = new GraphBuilder('counter')
  const s = ops.add(b.input('s', 'float32', ['batch']), b.input('x', 'float32', ['batch']))
  b.output('s', s)
  b.output('y', ops.mul(s, 2))
  return b.build()
}

/** Many operators at once: products, indices, a recurrence, a Scan, literals and operands as results. */
export function mixture(): Graph {
  const b = new GraphBuilder('mixture')
  const x = b.input('x', 'float32', ['batch', 4, 3])
  const w = b.input('w', 'float32', [3, 5])
  const product = ops.matmul(x, w)
  const { values, indices } = ops.topk(product, 2, -1)
  const { h } = ops.linearScan(b.constant([0.5], [1, 1, 1]), product, 0, { axis: 1 })
  const body = new GraphBuilder('body')
  const [state, slice] = [body.input('h', 'float32', ['batch', 5]), body.input('x', 'float32', ['batch', 5])]
  const next = ops.tanh(ops.add(state, slice))
  body.output('h', next)
  body.output('y', ops.mul(next, 2))
  const { last, ys } = ops.scan(
    body.build(),
    { init: [ops.sum(product, 1)], xs: [h] },
    { axis: 1, batchAxis: 0 },
  )
  b.output('top', values)
  b.output('where', indices)
  b.output('last', last[0] as Value)
  b.output('ys', ys[0] as Value)
  b.output('same', w)
  b.output('literal', b.constant([1, 2, 3], [3]))
  b.output('mean', ops.mean(product, [0, 1, 2]))
  return b.build()
}

/** Fails in the middle of a run, inside a Scan, with an index that is out of range. */
export function outOfRange(): Graph {
  const b = new GraphBuilder('out-of-range')
  const x = ops.exp(ops.log(b.input('x', 'float32', [3])))
  const body = new GraphBuilder('body')
  const [state, table] = [body.input('s', 'float32', [1]), body.input('x', 'int32', [1])]
  const row = body.input('table', 'float32', [3])
  const next = ops.add(state, ops.gather(row, table))
  body.output('s', next)
  body.output('y', next)
  const init = [b.constant([0], [1])]
  const { ys } = ops.scan(
    body.build(),
    { init, xs: [b.input('i', 'int32', [3, 1])], consts: [x] },
    { axis: 0 },
  )
  b.output('y', ys[0] as Value)
  return b.build()
}
