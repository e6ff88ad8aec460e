/** Passes for graphs whose parameters are known before the rest: products merge, their work is done ahead. */
import { describe, expect, it } from 'vitest'
import { createGate, type Graph, GraphBuilder, ops, referenceBackend, verifyGraph } from '../src/index.js'
import { hoist } from '../src/passes/hoist.js'
import { mergeProducts } from '../src/passes/merge-products.js'
import { evaluate, wave } from './helpers.js'

const opsOf = (graph: Graph) => graph.nodes.map((n) => n.op)

const build = (body: (b: GraphBuilder) => void): Graph => {
  const b = new GraphBuilder('g')
  body(b)
  return b.build()
}

/** A (B x + b) + x₀ and what it takes. */
const chain = ({ outer = 2, exposed = false, order = 'bias last' as 'bias last' | 'bias first' } = {}) =>
  build((b) => {
    const left = b.input('A', 'float32', [outer, 3])
    const matrix = b.input('B', 'float32', [3, 4])
    const bias = b.input('b', 'float32', [3])
    const x = b.input('x', 'float32', [4, 'batch'])
    const [y, c] = [ops.matmul(matrix, x), ops.reshape(bias, [3, 1])]
    const inner = order === 'bias last' ? ops.add(y, c) : ops.add(c, y)
    b.output('z', ops.matmul(left, inner))
    if (exposed) b.output('inner', inner)
  })
const feeds = { A: wave([2, 3]), B: wave([3, 4]), b: wave([3]), x: wave([4, 5]) }
const known = ['A', 'B', 'b']

describe('merging products', () => {
  it.each(['bias last', 'bias first'] as const)('takes a bias along, %s', (order) => {
    const graph = chain({ order })
    const merged = mergeProducts(graph, known)
    verifyGraph(merged)
    const products = merged.nodes.filter(({ op }) => op === 'MatMul')
    expect(products.length).toBe(3)
    const late = products.filter(({ inputs }) => inputs.includes('x'))
    expect(late.map(({ outputs }) => merged.values[outputs[0] as string]?.shape)).toEqual([[2, 'batch']])
    const [got, want] = [evaluate(merged, feeds), evaluate(graph, feeds)]
    want.z?.data.forEach((v, i) => {
      expect(got.z?.data[i]).toBeCloseTo(v, 12)
    })
  })

  it('merges a chain of three, as a predictor of low rank has', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [5, 'batch'])
      const [p, q, r] = [
        b.input('P', 'float32', [2, 3]),
        b.input('Q', 'float32', [3, 4]),
        b.input('R', 'float32', [4, 5]),
      ]
      b.output('z', ops.matmul(p, ops.matmul(q, ops.matmul(r, x))))
    })
    const merged = mergeProducts(graph, ['P', 'Q', 'R'])
    const late = merged.nodes.filter(({ inputs }) => inputs.includes('x'))
    expect(late.map(({ outputs }) => merged.values[outputs[0] as string]?.shape)).toEqual([[2, 'batch']])
    const given = { x: wave([5, 3]), P: wave([2, 3]), Q: wave([3, 4]), R: wave([4, 5]) }
    const [got, want] = [evaluate(merged, given), evaluate(graph, given)]
    want.z?.data.forEach((v, i) => {
      expect(got.z?.data[i]).toBeCloseTo(v, 12)
    })
  })

  it('leaves what would not get smaller, what is used twice, and what is not a parameter', () => {
    const same = (graph: Graph, names: readonly string[]) => expect(mergeProducts(graph, names)).toBe(graph)
    same(chain({ outer: 3 }), known)
    same(chain({ exposed: true }), known)
    same(chain(), ['A', 'B'])
    same(chain(), ['B', 'b'])
  })
})

describe('hoisting', () => {
  it('does ahead what depends on parameters alone, and no more', () => {
    const graph = mergeProducts(chain(), known)
    const { ahead, rest } = hoist(graph, known)
    verifyGraph(ahead)
    verifyGraph(rest)
    expect(ahead.inputs).toEqual(known)
    expect(opsOf(rest)).toEqual(['MatMul', 'Add'])
    const parameters = evaluate(ahead, { A: feeds.A, B: feeds.B, b: feeds.b })
    expect(evaluate(rest, { x: feeds.x, ...parameters })).toEqual(evaluate(graph, feeds))
  })

  it('hands over parameters that are read as they are, and keeps literals where they are read', () => {
    const graph = build((b) => {
      const [w, x] = [b.input('w', 'float32', [2]), b.input('x', 'float32', [2])]
      const two = b.constant([2, 3], [2])
      b.output('y', ops.add(ops.mul(w, x), two))
      b.output('w2', ops.mul(w, two))
    })
    const { ahead, rest } = hoist(graph, ['w'])
    expect(opsOf(ahead)).toEqual(['Constant', 'Mul'])
    expect(rest.inputs).toEqual(['w', 'x', ...ahead.outputs.map(({ name }) => name)])
    const given = { w: wave([2]), x: wave([2], 3) }
    const handed = evaluate(ahead, { w: given.w })
    expect(evaluate(rest, { ...given, ...handed })).toEqual(evaluate(graph, given))
  })

  it('finds nothing where nothing is known', () => {
    const { ahead, rest } = hoist(chain(), [])
    expect(ahead.outputs).toEqual([])
    expect(opsOf(rest)).toEqual(opsOf(chain()))
  })
})

describe('streams', () => {
  it('take no step that depends on parameters alone', async () => {
    const gate = createGate({
      dim: 4,
      experts: 2,
      memory: { kind: 'leaky' },
      anticipation: { kind: 'direct' },
    })
    const compiled: Graph[] = []
    const backend = await referenceBackend()
    const watching = {
      ...backend,
      compile: (graph: Graph) => {
        compiled.push(graph)
        return backend.compile(graph)
      },
    }
    using stream = await gate.stream(watching, gate.init({ seed: 0 }))
    await stream.step({ dtype: 'float32', shape: [1, 4], data: new Float32Array(4) })
    const step = compiled.at(-1) as Graph
    expect(opsOf(step)).not.toContain('Sigmoid')
    expect(opsOf(step).filter((op) => op === 'MatMul').length).toBe(2)
  })
})
