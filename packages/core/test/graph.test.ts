import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bindBatch,
  broadcastShapes,
  type Dim,
  type Graph,
  GraphBuilder,
  graphCost,
  mergeDims,
  ops,
  primitives,
  printGraph,
  sizeOf,
  verifyGraph,
} from '../src/index.js'
import { codeOf, evaluate, wave } from './helpers.js'

const small = (): Graph => {
  const b = new GraphBuilder('small')
  const x = b.input('x', 'float32', ['batch', 3])
  const w = b.input('w', 'float32', [3, 2])
  b.scope('layer', () => b.output('y', ops.softmax(ops.matmul(x, w).named('z'))))
  return b.build()
}

describe('builder', () => {
  it('prints a readable graph with scoped names', () => {
    expect(printGraph(small())).toMatchInlineSnapshot(`
      "graph small
        input x: float32(batch, 3)
        input w: float32(3, 2)
        layer/z: float32(batch, 2) = MatMul(x, w)
        layer/Softmax: float32(batch, 2) = Softmax(layer/z) {axis=1}
        output y = layer/Softmax"
    `)
  })

  it('round-trips through JSON', () => {
    const graph = small()
    verifyGraph(JSON.parse(JSON.stringify(graph)))
    expect(JSON.parse(JSON.stringify(graph))).toEqual(graph)
  })

  it('carries the symbol through reshape and infers it', () => {
    const b = new GraphBuilder('g')
    const x = b.input('x', 'float32', [4, 5, 'batch'])
    expect(ops.reshape(x, [4, -1]).shape).toEqual([4, '5*batch'])
    expect(ops.reshape(ops.reshape(x, [-1]), [2, 2, 5, -1]).shape).toEqual([2, 2, 5, 'batch'])
    expect(mergeDims([2, 'batch', 3])).toBe('6*batch')
  })

  it('divides a mean over the batch by the size it has at run time', () => {
    const b = new GraphBuilder('g')
    b.output('m', ops.mean(b.input('x', 'float32', [2, 'batch'])))
    for (const batch of [1, 3]) {
      const x = wave([2, batch])
      const want = [...x.data].reduce((n, v) => n + v, 0) / x.data.length
      const graph = bindBatch(b.build(), batch)
      expect(evaluateExpanded(graph, x)).toBeCloseTo(want, 12)
    }
  })

  it.each([
    [
      'operands of two builders',
      () =>
        ops.add(
          new GraphBuilder('a').input('x', 'float32', [1]),
          new GraphBuilder('b').input('x', 'float32', [1]),
        ),
    ],
    [
      'shapes that do not broadcast',
      () =>
        ((b) => ops.add(b.input('x', 'float32', [2]), b.input('y', 'float32', [3])))(new GraphBuilder('a')),
    ],
    [
      'batch against a number',
      () =>
        ((b) => ops.add(b.input('x', 'float32', ['batch']), b.input('y', 'float32', [3])))(
          new GraphBuilder('a'),
        ),
    ],
    [
      'dtypes that differ',
      () => ((b) => ops.add(b.input('x', 'float32', [2]), b.input('y', 'int32', [2])))(new GraphBuilder('a')),
    ],
    [
      'inner dimensions that differ',
      () =>
        ((b) => ops.matmul(b.input('x', 'float32', [2, 3]), b.input('y', 'float32', [2, 3])))(
          new GraphBuilder('a'),
        ),
    ],
    [
      'a reshape that loses elements',
      () => ((b) => ops.reshape(b.input('x', 'float32', [6]), [4]))(new GraphBuilder('a')),
    ],
    ['an axis out of range', () => ((b) => ops.sum(b.input('x', 'float32', [6]), 1))(new GraphBuilder('a'))],
    ['k beyond the axis', () => ((b) => ops.topk(b.input('x', 'float32', [6]), 7))(new GraphBuilder('a'))],
    [
      'two inputs of one name',
      () => ((b) => [b.input('x', 'float32', [6]), b.input('x', 'float32', [6])])(new GraphBuilder('a')),
    ],
    ['a dimension that is none', () => new GraphBuilder('a').input('x', 'float32', [-1 as Dim])],
    ['merging batch with batch', () => mergeDims(['batch', 'batch'])],
  ])('refuses %s', async (_name, body) => {
    expect(await codeOf(body)).toBe('FEP_BAD_GRAPH')
  })
})

function evaluateExpanded(graph: Graph, x: ReturnType<typeof wave>): number {
  const b = new GraphBuilder('e', { expandComposites: true })
  b.output('m', ops.mean(b.input('x', 'float32', graph.values.x?.shape ?? [])))
  return evaluate(b.build(), { x }).m?.data[0] as number
}

describe('verifyGraph', () => {
  const broken: [string, (g: Graph) => Graph][] = [
    ['an undefined operand', (g) => ({ ...g, inputs: ['x'] })],
    ['a node out of order', (g) => ({ ...g, nodes: [...g.nodes].reverse() })],
    ['a double definition', (g) => ({ ...g, nodes: [...g.nodes, ...g.nodes] })],
    [
      'a wrong declared shape',
      (g) => ({ ...g, values: { ...g.values, 'layer/z': { dtype: 'float32', shape: [3, 3] } } }),
    ],
    [
      'a wrong declared dtype',
      (g) => ({ ...g, values: { ...g.values, 'layer/z': { dtype: 'int32', shape: ['batch', 2] } } }),
    ],
    ['an output of nothing', (g) => ({ ...g, outputs: [{ name: 'y', value: 'nothing' }] })],
    [
      'an unknown operator',
      (g) => ({ ...g, nodes: g.nodes.map((n) => ({ ...n, op: 'Nonsense' })) as never }),
    ],
    ['an orphan value', (g) => ({ ...g, values: { ...g.values, orphan: { dtype: 'float32', shape: [] } } })],
    ['two outputs of one name', (g) => ({ ...g, outputs: [...g.outputs, ...g.outputs] })],
  ]
  it.each(broken)('refuses %s', async (_name, breakIt) => {
    expect(await codeOf(() => verifyGraph(breakIt(small())))).toBe('FEP_BAD_GRAPH')
  })

  it('refuses a Scan body that mixes the rows it promises to keep apart', async () => {
    const build = (mix: boolean) => {
      const body = new GraphBuilder('body')
      const h = body.input('h', 'float32', ['batch', 2])
      const x = body.input('x', 'float32', ['batch', 2])
      const next = ops.add(h, x)
      body.output(
        'h',
        mix ? ops.sub(next, ops.reduceMax(next, 0, true)) : ops.sub(next, ops.reduceMax(next, 1, true)),
      )
      const b = new GraphBuilder('g')
      const { last } = ops.scan(
        body.build(),
        { init: [b.input('h0', 'float32', ['batch', 2])], xs: [b.input('xs', 'float32', [4, 'batch', 2])] },
        { axis: 0, batchAxis: 0 },
      )
      b.output('h', last[0] as never)
      return b.build()
    }
    verifyGraph(build(false))
    expect(await codeOf(() => verifyGraph(build(true)))).toBe('FEP_BAD_GRAPH')
  })
})

describe('shapes', () => {
  const dim = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant('batch' as const))

  it('broadcasting is commutative, and a shape broadcasts with itself', () => {
    fc.assert(
      fc.property(
        fc.array(dim, { maxLength: 4 }),
        fc.array(fc.boolean(), { maxLength: 4 }),
        (shape, ones) => {
          const other = shape.map((d, i): Dim => (ones[i] ? 1 : d))
          expect(broadcastShapes(shape, other)).toEqual(broadcastShapes(other, shape))
          expect(broadcastShapes(shape, other)).toEqual(shape)
        },
      ),
    )
  })

  it('merging keeps the number of elements', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 }),
        fc.boolean(),
        (numbers, symbolic) => {
          const shape: Dim[] = symbolic ? [...numbers, 'batch'] : numbers
          expect(sizeOf([mergeDims(shape)])).toEqual(sizeOf(shape))
        },
      ),
    )
  })
})

describe('cost', () => {
  it('counts a product as 2mkn and multiplies a Scan body by its steps', () => {
    const b = new GraphBuilder('g')
    b.output('y', ops.matmul(b.input('a', 'float32', ['batch', 8]), b.input('b', 'float32', [8, 4])))
    expect(graphCost(b.build(), 16).total).toEqual({
      flops: 2 * 16 * 8 * 4,
      bytes: 4 * (16 * 8 + 8 * 4 + 16 * 4),
    })
  })

  it('has a figure for every primitive', () => {
    for (const rule of Object.values(primitives)) expect(typeof rule.flops).toBe('function')
  })
})
