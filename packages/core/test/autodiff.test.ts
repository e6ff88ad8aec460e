import { describe, expect, it } from 'vitest'
import {
  differentiate,
  type Graph,
  GraphBuilder,
  gradients,
  ops,
  sizeOf,
  type Value,
  verifyGraph,
  vjpGraph,
} from '../src/index.js'
import { codeOf, evaluate, numericGradient, wave } from './helpers.js'

const scalar = (
  inputs: Record<string, readonly number[]>,
  body: (v: Record<string, Value>) => Value,
): Graph => {
  const b = new GraphBuilder('g', { expandComposites: true })
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, shape]) => [name, b.input(name, 'float32', shape)]),
  )
  b.output('y', body(values))
  return b.build()
}

function check(graph: Graph, feeds: Record<string, ReturnType<typeof wave>>, tolerance = 1e-8): void {
  const full = gradients(graph, { of: 'y', wrt: graph.inputs })
  verifyGraph(full)
  const results = evaluate(full, feeds)
  for (const name of graph.inputs) {
    const want = numericGradient(graph, feeds, 'y', name)
    want.forEach((v, i) =>
      expect(Math.abs((results[`grad/${name}`]?.data[i] as number) - v), `grad/${name}[${i}]`).toBeLessThan(
        tolerance * Math.max(1, Math.abs(v)) + 1e-8,
      ),
    )
  }
}

describe('gradients', () => {
  it('accumulate over several uses', () => {
    const graph = scalar({ x: [3] }, ({ x }) =>
      ops.sum(ops.add(ops.mul(x as Value, x as Value), ops.exp(x as Value))),
    )
    check(graph, { x: wave([3]) })
  })

  it('sum over broadcast axes, shared matrices included', () => {
    const graph = scalar({ w: [2, 3], x: [4, 3, 5], c: [1, 5] }, ({ w, x, c }) =>
      ops.sum(ops.tanh(ops.add(ops.matmul(w as Value, x as Value), c as Value))),
    )
    check(graph, { w: wave([2, 3]), x: wave([4, 3, 5], 1), c: wave([1, 5], 2) })
    const right = scalar({ x: [4, 5, 3], w: [3, 2] }, ({ x, w }) =>
      ops.sum(ops.tanh(ops.matmul(x as Value, w as Value))),
    )
    check(right, { w: wave([3, 2]), x: wave([4, 5, 3], 1) })
  })

  it('stop at a stop-gradient and are zero for unused inputs', () => {
    const graph = scalar({ x: [2], unused: [3] }, ({ x }) =>
      ops.sum(ops.mul(ops.stopGradient(x as Value), x as Value)),
    )
    const x = wave([2])
    const results = evaluate(gradients(graph, { of: 'y', wrt: ['x', 'unused'] }), { x, unused: wave([3]) })
    expect([...(results['grad/x']?.data ?? [])]).toEqual([...x.data])
    expect([...(results['grad/unused']?.data ?? [])]).toEqual([0, 0, 0])
  })

  it('go to the first operand at a tie', () => {
    const graph = scalar({ a: [1], b: [1] }, ({ a, b }) =>
      ops.sum(ops.add(ops.max(a as Value, b as Value), ops.mul(ops.min(a as Value, b as Value), 10))),
    )
    const tie = { dtype: 'float32', shape: [1], data: Float64Array.of(1) } as const
    const results = evaluate(gradients(graph, { of: 'y', wrt: ['a', 'b'] }), { a: tie, b: tie })
    expect([results['grad/a']?.data[0], results['grad/b']?.data[0]]).toEqual([11, 0])
  })

  it.each([false, true])('flow through a LinearScan (reverse: %s)', (reverse) => {
    for (const steps of [1, 2, 5]) {
      for (const aSteps of [1, steps]) {
        const shapes = { a: [2, aSteps, 1], b: [2, steps, 3], h0: [2, 1, 3] }
        const graph = scalar(shapes, ({ a, b, h0 }) => {
          const { h, last } = ops.linearScan(a as Value, b as Value, h0 as Value, { axis: 1, reverse })
          return ops.add(ops.sum(ops.tanh(h)), ops.sum(ops.mul(last, last)))
        })
        check(graph, { a: wave(shapes.a), b: wave(shapes.b, 1), h0: wave(shapes.h0, 2) })
      }
    }
  })

  it.each([false, true])('flow through a Scan: states, slices, constants, ys (reverse: %s)', (reverse) => {
    const body = new GraphBuilder('cell')
    const [h, c] = [body.input('h', 'float32', [2, 3]), body.input('c', 'float32', [3])]
    const x = body.input('x', 'float32', [2, 3])
    const w = body.input('w', 'float32', [3, 3])
    const next = ops.tanh(ops.add(ops.matmul(h, w), ops.mul(x, c)))
    body.output('h', next)
    body.output('c', ops.mul(c, 0.9))
    body.output('y', ops.mul(next, x))
    const shapes = { h0: [2, 3], c0: [3], xs: [4, 2, 3], w: [3, 3] }
    const graph = scalar(shapes, ({ h0, c0, xs, w: weight }) => {
      const { last, ys } = ops.scan(
        body.build(),
        { init: [h0 as Value, c0 as Value], xs: [xs as Value], consts: [weight as Value] },
        { axis: 0, reverse },
      )
      return ops.add(
        ops.sum(ys[0] as Value),
        ops.add(ops.sum(last[0] as Value), ops.sum(ops.exp(last[1] as Value))),
      )
    })
    check(graph, {
      h0: wave(shapes.h0),
      c0: wave(shapes.c0, 1),
      xs: wave(shapes.xs, 2),
      w: wave(shapes.w, 3),
    })
  })

  it('flow through a Scan whose state has a lower rank than the scanned axis', () => {
    const body = new GraphBuilder('cell')
    const s = body.input('s', 'float32', [])
    const x = body.input('x', 'float32', [2])
    const next = ops.tanh(ops.add(s, ops.sum(x)))
    body.output('s', next)
    body.output('y', ops.mul(x, next))
    const graph = scalar({ s0: [], xs: [2, 3] }, ({ s0, xs }) => {
      const { last, ys } = ops.scan(body.build(), { init: [s0 as Value], xs: [xs as Value] }, { axis: 1 })
      return ops.add(last[0] as Value, ops.sum(ys[0] as Value))
    })
    check(graph, { s0: wave([], 0.4), xs: wave([2, 3]) })
  })

  it('of a Scan are one reversed Scan that saves states only: memory is steps × state', () => {
    const steps = 50
    const body = new GraphBuilder('cell', { expandComposites: true })
    const h = body.input('h', 'float32', [2])
    const x = body.input('x', 'float32', [2])
    body.output('h', ops.tanh(ops.add(ops.exp(ops.sigmoid(ops.mul(h, x))), ops.softmax(ops.mul(x, h)))))
    const graph = scalar({ h0: [2], xs: [steps, 2] }, ({ h0, xs }) =>
      ops.sum(
        ops.scan(body.build(), { init: [h0 as Value], xs: [xs as Value] }, { axis: 0 }).last[0] as Value,
      ),
    )
    const full = gradients(graph, { of: 'y', wrt: ['h0', 'xs'] })
    expect(full.nodes.filter((n) => n.op === 'Scan').length).toBe(2)
    const wide = Object.entries(full.values).filter(([, v]) => sizeOf(v.shape).factor >= steps)
    // xs itself, the saved states, and the gradient of xs.
    expect(wide.length).toBe(3)
  })

  it('of a vector-Jacobian product equal the gradient of the weighted sum', () => {
    const b = new GraphBuilder('g')
    const x = b.input('x', 'float32', [3])
    b.output('y', ops.softmax(x))
    const graph = vjpGraph(b.build(), { of: ['y'], wrt: ['x'] })
    const weighted = scalar({ x: [3], w: [3] }, ({ x: v, w }) =>
      ops.sum(ops.mul(ops.softmax(v as Value), w as Value)),
    )
    const feeds = { x: wave([3]), w: wave([3], 1) }
    const want = numericGradient(weighted, feeds, 'y', 'x')
    const got = evaluate(graph, { x: feeds.x, 'cotangent/y': feeds.w })['grad/x']
    want.forEach((v, i) => expect(got?.data[i]).toBeCloseTo(v, 8))
  })

  it('refuse discrete targets, unknown names and integer sources', async () => {
    const b = new GraphBuilder('g')
    const [x, i] = [b.input('x', 'float32', [3]), b.input('i', 'int32', [3])]
    b.output('y', x)
    b.output('s', ops.sum(x))
    b.output('n', ops.size(x))
    const graph = b.build()
    expect(await codeOf(() => gradients(graph, { of: 'y', wrt: ['x'] }))).toBe('FEP_NO_GRADIENT')
    expect(await codeOf(() => gradients(graph, { of: 'n', wrt: ['x'] }))).toBe('FEP_NO_GRADIENT')
    expect(await codeOf(() => gradients(graph, { of: 'missing', wrt: ['x'] }))).toBe('FEP_BAD_GRAPH')
    expect(await codeOf(() => gradients(graph, { of: 's', wrt: ['missing'] }))).toBe('FEP_BAD_GRAPH')
    expect(await codeOf(() => differentiate([], [i]))).toBe('FEP_NO_GRADIENT')
  })
})
