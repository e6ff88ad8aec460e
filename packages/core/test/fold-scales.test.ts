/** Factors of large matrices move to the smaller operands of products around them. */
import { describe, expect, it } from 'vitest'
import { type Graph, GraphBuilder, ops, verifyGraph } from '../src/index.js'
import { foldScales } from '../src/passes/fold-scales.js'
import { evaluate, wave } from './helpers.js'

const N = 6
const feeds = { W: wave([4, 3]), b: wave([4, 1]), V: wave([2, 4]), x: wave([3, N]), g: wave([2, N]) }

const build = (
  body: (b: GraphBuilder, v: (name: keyof typeof feeds) => ReturnType<GraphBuilder['input']>) => void,
) => {
  const builder = new GraphBuilder('g')
  body(builder, (name) => {
    const [rows, columns] = feeds[name].shape as [number, number]
    return builder.input(name, 'float32', [rows, columns === N ? 'batch' : columns])
  })
  return builder.build()
}

/** Multiplications of something as wide as the batch with a number. */
const scaled = (graph: Graph) =>
  graph.nodes.filter(
    ({ op, inputs, outputs }) =>
      op === 'Mul' &&
      graph.values[outputs[0] as string]?.shape.includes('batch') &&
      inputs.some((name) => graph.nodes.some((n) => n.op === 'Constant' && n.outputs[0] === name)),
  )
const scalings = (graph: Graph) => scaled(graph).length

function same(graph: Graph): Graph {
  const folded = foldScales(graph)
  verifyGraph(folded)
  const given = Object.fromEntries(graph.inputs.map((name) => [name, feeds[name as keyof typeof feeds]]))
  const [got, want] = [evaluate(folded, given, N), evaluate(graph, given, N)]
  for (const { name } of graph.outputs)
    want[name]?.data.forEach((v, i) => {
      expect(got[name]?.data[i]).toBeCloseTo(v, 12)
    })
  return folded
}

describe('folding scales', () => {
  it('takes a factor into the product that makes the matrix, and into its bias', () => {
    const whole = build((b, v) => {
      b.output('y', ops.tanh(ops.mul(ops.add(ops.matmul(v('W'), v('x')), v('b')), 0.7)))
    })
    expect(scalings(whole)).toBe(1)
    expect(scalings(same(whole))).toBe(0)
  })

  it('takes it into the products and sums that read the matrix', () => {
    const graph = build((b, v) => {
      const h = ops.mul(ops.tanh(ops.matmul(v('W'), v('x'))), 0.7)
      b.output('z', ops.matmul(v('V'), h))
      b.output('dV', ops.matmul(v('g'), ops.permute(h, [1, 0])))
      b.output('sum', ops.sum(h, 1))
    })
    const shapes = (of: Graph) => scaled(of).map(({ outputs }) => of.values[outputs[0] as string]?.shape)
    expect(shapes(graph)).toEqual([[4, 'batch']])
    expect(shapes(same(graph))).toEqual([[2, 'batch']])
  })

  it('leaves a matrix that is read otherwise, or is a result', () => {
    const read = build((b, v) => {
      const h = ops.mul(ops.tanh(ops.matmul(v('W'), v('x'))), 0.7)
      b.output('z', ops.matmul(v('V'), h))
      b.output('square', ops.mul(h, h))
    })
    const result = build((b, v) => {
      const h = ops.mul(ops.tanh(ops.matmul(v('W'), v('x'))), 0.7)
      b.output('z', ops.matmul(v('V'), h))
      b.output('h', h)
    })
    expect([scalings(same(read)), scalings(same(result))]).toEqual([1, 1])
  })

  it('leaves products whose operands are larger than they are, and those that others use too', () => {
    const shared = build((b, v) => {
      const y = ops.matmul(v('W'), v('x'))
      b.output('a', ops.tanh(ops.mul(y, 0.7)))
      b.output('b', ops.tanh(y))
    })
    const small = build((b, v) => {
      const x = v('x')
      b.output('a', ops.tanh(ops.mul(ops.matmul(x, ops.permute(x, [1, 0])), 0.7)))
    })
    expect(scalings(same(shared))).toBe(1)
    expect(same(small)).toBe(small)
  })

  it('takes two factors in turn only where each has a place of its own', () => {
    const graph = build((b, v) => {
      const y = ops.mul(ops.matmul(v('V'), ops.mul(ops.tanh(ops.matmul(v('W'), v('x'))), 0.7)), 0.3)
      b.output('a', ops.tanh(y))
    })
    expect(scalings(graph)).toBe(2)
    expect(scalings(same(graph))).toBe(1)
  })
})
