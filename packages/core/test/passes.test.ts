import { describe, expect, it } from 'vitest'
import {
  eliminateDeadCode,
  expandComposites,
  foldConstants,
  type Graph,
  GraphBuilder,
  gradients,
  ops,
  optimize,
  shareCommonSubexpressions,
  verifyGraph,
} from '../src/index.js'
import { evaluate, wave } from './helpers.js'

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
})
