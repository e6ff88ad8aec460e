import { createGate, ops, type Value } from '@fep-moe/core'
import { toJavaScript } from '@fep-moe/js'
import { describe, expect, it } from 'vitest'
import { graphOf, wave } from './graphs.js'

describe('the code of', () => {
  it('a chain of elementwise operators: one loop, each result rounded', () => {
    const graph = graphOf({ x: [3, 4], scale: [4], shift: [3, 1] }, ({ x, scale, shift }) => ({
      y: ops.relu(ops.add(ops.mul(x as Value, scale as Value), ops.exp(shift as Value))),
    }))
    expect(toJavaScript(graph)).toMatchSnapshot()
  })

  it('a transposed product: read through strides', () => {
    const graph = graphOf({ x: [3, 6], w: [5, 6] }, ({ x, w }) => ({
      y: ops.matmul(x as Value, ops.swapLast(w as Value)),
    }))
    expect(toJavaScript(graph)).toMatchSnapshot()
  })

  it('a softmax over the middle axis', () => {
    const graph = graphOf({ x: [2, 3, 4] }, ({ x }) => ({ y: ops.softmax(x as Value, 1) }))
    expect(toJavaScript(graph)).toMatchSnapshot()
  })

  it('a scan', () => {
    const body = graphOf({ u: ['batch', 2], x: ['batch', 2], leak: [2] }, ({ u, x, leak }) => {
      const next = ops.min(ops.add(ops.mul(u as Value, leak as Value), x as Value), 1)
      return { u: next, y: ops.tanh(next) }
    })
    const graph = graphOf({ u: ['batch', 2], xs: ['batch', 5, 2], leak: [2] }, ({ u, xs, leak }) => {
      const { last, ys } = ops.scan(
        body,
        { init: [u as Value], xs: [xs as Value], consts: [leak as Value] },
        { axis: 1, batchAxis: 0 },
      )
      return { last: last[0] as Value, ys: ys[0] as Value }
    })
    expect(toJavaScript(graph, { batch: 3 })).toMatchSnapshot()
  })

  it('one step of a gate', () => {
    const gate = createGate({
      dim: 16,
      experts: 4,
      memory: { kind: 'leaky' },
      select: { kind: 'top-k', k: 2 },
    })
    expect(toJavaScript(gate.graph({ steps: 1, state: true }))).toMatchSnapshot()
  })
})

it('constant matrices are multiplied by one call each, and are not kept twice', () => {
  const graph = graphOf({ x: [1, 6], y: [6, 1] }, ({ x, y }) => {
    const w = (x as Value).builder.constant([...wave([9, 6]).data], [9, 6])
    const hidden = ops.exp(x as Value)
    return {
      row: ops.matmul(hidden, ops.swapLast(w)),
      column: ops.matmul(w, y as Value),
    }
  })
  expect(toJavaScript(graph)).toMatchSnapshot()
})

it('functions join kernels up to a length', () => {
  const graph = graphOf({ x: [4, 4] }, ({ x }) => {
    let y = x as Value
    for (let i = 0; i < 40; i++) y = ops.softmax(y)
    return { y }
  })
  const parts = toJavaScript(graph).split(/^function /m)
  expect(parts.length).toBeGreaterThan(3)
  expect(Math.max(...parts.map((part) => part.length))).toBeLessThan(16_384)
})

describe('the length of the code', () => {
  const layer = (n: number) =>
    graphOf({ x: [n, 4 * n], w: [4 * n, 4 * n] }, ({ x, w }) => ({
      y: ops.softmax(ops.matmul(x as Value, w as Value)),
      hot: ops.mul(
        x as Value,
        (x as Value).builder.constant(
          Array.from({ length: 4 * n }, (_, i) => i),
          [4 * n],
        ),
      ),
    }))

  it('does not grow with the size of tensors', () => {
    const [small, large] = [toJavaScript(layer(8)).length, toJavaScript(layer(512)).length]
    expect(large / small).toBeLessThan(1.1)
  })

  it('stays linear in a chain that is longer than one expression may be', () => {
    const chain = (length: number) =>
      toJavaScript(
        graphOf({ x: [4] }, ({ x }) => {
          let y = x as Value
          for (let i = 0; i < length; i++) y = ops.sin(y)
          return { y }
        }),
      )
    expect(chain(1000).length / chain(100).length).toBeLessThan(11)
    expect(
      Math.max(
        ...chain(1000)
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBeLessThan(1000)
  })
})

describe('names', () => {
  it('of values cannot leave their comment or their string', () => {
    const hostile = '*/ }\n throw 1 //\u2028";\'`'
    const graph = graphOf({ [hostile]: [2] }, (v) => ({
      [hostile]: ops.exp((v[hostile] as Value).named(hostile)),
    }))
    const text = toJavaScript(graph)
    expect(() => new Function('runtime', 'constants', text)({}, [])).not.toThrow()
    expect(text.split('\n').filter((line) => line.includes('throw 1') && !line.includes('//')).length).toBe(0)
  })

  it('that differ in punctuation only stay apart', () => {
    const graph = graphOf({ 'a.b': [2], 'a/b': [2] }, (v) => ({
      y: ops.sub(v['a.b'] as Value, v['a/b'] as Value),
    }))
    const { run, results } = new Function('runtime', 'constants', toJavaScript(graph))({}, [])
    run({ 'a.b': { data: Float32Array.of(3, 4) }, 'a/b': { data: Float32Array.of(1, 1) } })
    expect([...results.y]).toEqual([2, 3])
  })
})

describe('options', () => {
  const graph = graphOf({ x: ['batch'] }, ({ x }) => ({ y: ops.neg(x as Value) }))
  it.each([
    ['an unknown option', { size: 1 }],
    ['a negative batch', { batch: -1 }],
    ['a fraction', { batch: 1.5 }],
    ['no object', 3],
    ['null', null],
  ])('%s is refused', (_what, options) => {
    expect(() => toJavaScript(graph, options as never)).toThrow(
      expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }),
    )
  })

  it('a graph that breaks an invariant is refused', () => {
    expect(() => toJavaScript({ ...graph, nodes: [] })).toThrow(
      expect.objectContaining({ code: 'FEP_BAD_GRAPH' }),
    )
  })
})
