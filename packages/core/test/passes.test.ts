import { describe, expect, it } from 'vitest'
import {
  bindInputs,
  eliminateDeadCode,
  expandComposites,
  foldConstants,
  type Graph,
  GraphBuilder,
  gradients,
  narrowProducts,
  ops,
  optimize,
  shareCommonSubexpressions,
  verifyGraph,
} from '../src/index.js'
import { codeOf, evaluate, wave, wave32 } from './helpers.js'

const opsOf = (graph: Graph) => graph.nodes.map((n) => n.op)

const build = (body: (b: GraphBuilder) => void): Graph => {
  const b = new GraphBuilder('g')
  body(b)
  return b.build()
}

describe('passes', () => {
  it('dead code goes, inputs and outputs stay', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [2])
      b.input('unused', 'float32', [3])
      ops.exp(x)
      b.output('y', ops.neg(x))
    })
    const lean = eliminateDeadCode(graph)
    verifyGraph(lean)
    expect(opsOf(lean)).toEqual(['Neg'])
    expect(lean.inputs).toEqual(['x', 'unused'])
  })

  it('equal expressions are computed once', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [2])
      b.output('y', ops.add(ops.exp(x), ops.exp(x)))
      b.output('z', ops.exp(x))
    })
    const shared = shareCommonSubexpressions(graph)
    verifyGraph(shared)
    expect(opsOf(shared)).toEqual(['Exp', 'Add'])
    expect(evaluate(shared, { x: wave([2]) })).toEqual(evaluate(graph, { x: wave([2]) }))
  })

  it('attributes keep expressions apart', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [2, 2])
      b.output('y', ops.add(ops.cumsum(x, 0), ops.cumsum(x, 1)))
    })
    expect(shareCommonSubexpressions(graph).nodes.length).toBe(3)
  })

  it('literals fold, symbolic shapes and stop-gradients do not', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', ['batch'])
      const two = ops.exp(ops.log(b.constant(2)))
      b.output('y', ops.mul(x, two))
      b.output('s', ops.stopGradient(b.constant(1)))
    })
    const folded = foldConstants(graph)
    verifyGraph(folded)
    expect(opsOf(folded)).toEqual(['Constant', 'Mul', 'Constant', 'StopGradient'])
  })

  it('composites expand to primitives with the same result, those that are kept stay', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [2, 3])
      b.output('y', ops.gelu(ops.layerNorm(x, b.constant([1, 2, 3], [3]), b.constant(0.5))))
    })
    const expanded = expandComposites(graph)
    verifyGraph(expanded)
    expect(opsOf(expanded)).not.toContain('LayerNorm')
    expect(opsOf(expanded)).not.toContain('ReduceMean')
    expect(opsOf(expandComposites(graph, (op) => op === 'Gelu'))).toContain('Gelu')
  })

  it('a product of which only some rows are used computes only those', () => {
    const graph = build((b) => {
      const product = ops.matmul(b.input('a', 'float32', [4, 3]), b.input('b', 'float32', [3, 5]))
      b.output('y', ops.slice(product, 0, 2, 4))
    })
    const narrow = optimize(graph)
    verifyGraph(narrow)
    expect(opsOf(narrow)).toEqual(['Slice', 'MatMul'])
    const feeds = { a: wave([4, 3]), b: wave([3, 5], 1) }
    expect(evaluate(narrow, feeds)).toEqual(evaluate(graph, feeds))
  })

  it('a product that is used whole stays whole', () => {
    const graph = build((b) => {
      const product = ops.matmul(b.input('a', 'float32', [4, 3]), b.input('b', 'float32', [3, 5]))
      b.output('y', ops.add(ops.slice(product, 0, 2, 3), ops.sum(product)))
      b.output('columns', ops.slice(ops.exp(product), 1, 0, 2))
    })
    expect(narrowProducts(graph)).toBe(graph)
  })

  it('building keeps repeated numbers single and drops copies', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [2, 3])
      const half = ops.reshape(ops.neg(ops.div(ops.expand(b.constant(1), [6]), 2)), [2, 3])
      b.output('y', ops.mul(ops.mul(ops.reshape(ops.reshape(x, [6]), [2, 3]), 1), half))
    })
    expect(opsOf(graph).filter((op) => op === 'Expand' || op === 'Reshape').length).toBeLessThanOrEqual(6)
    expect(opsOf(optimize(graph))).toEqual(['Constant', 'Mul'])
    const x = wave([2, 3])
    expect([...(evaluate(optimize(graph), { x }).y?.data ?? [])]).toEqual([...x.data].map((v) => v * -0.5))
  })

  it('optimizing a training graph keeps its results', () => {
    const graph = gradients(
      build((b) => {
        const x = b.input('x', 'float32', [3, 4])
        b.output('loss', ops.mean(ops.logSumExp(ops.mul(x, x), 0)))
      }),
      { of: 'loss', wrt: ['x'] },
    )
    const lean = optimize(graph)
    verifyGraph(lean)
    expect(lean.nodes.length).toBeLessThan(graph.nodes.length)
    const [a, b] = [evaluate(graph, { x: wave([3, 4]) }), evaluate(lean, { x: wave([3, 4]) })]
    for (const [name, array] of Object.entries(a)) {
      array.data.forEach((v, i) => expect(b[name]?.data[i]).toBeCloseTo(v, 12))
    }
  })

  it('inputs become literals, copied, and results stay what they were', async () => {
    const graph = build((b) => {
      const [x, w, n] = [
        b.input('x', 'float32', ['batch', 3]),
        b.input('w', 'float32', [3, 100]),
        b.input('n', 'int32', []),
      ]
      b.output('y', ops.mul(ops.matmul(x, w), ops.cast(n, 'float32')))
    })
    const w = wave32([3, 100])
    const bound = bindInputs(graph, { w, n: { dtype: 'int32', shape: [], data: Int32Array.of(2) } })
    verifyGraph(bound)
    expect(bound.inputs).toEqual(['x'])
    const feeds = { x: wave([2, 3]) }
    const { y } = evaluate(
      graph,
      { ...feeds, w, n: { dtype: 'int32', shape: [], data: Int32Array.of(2) } },
      2,
    )
    w.data.fill(0)
    expect(evaluate(bound, feeds, 2)).toEqual({ y })
    expect(await codeOf(() => bindInputs(graph, { v: w }))).toBe('FEP_BAD_ARGUMENT')
    expect(await codeOf(() => bindInputs(graph, { w: wave32([2, 100]) }))).toBe('FEP_BAD_ARGUMENT')
    expect(await codeOf(() => bindInputs(graph, { n: wave32([]) }))).toBe('FEP_BAD_ARGUMENT')
  })
})
