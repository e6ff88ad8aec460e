import { type Graph, ops, type Value } from '@fep-moe/core'
import { describe, expect, it } from 'vitest'
import { toWgsl } from '../src/to-wgsl.js'
import { capped, gate, graphOf, leaky } from './graphs.js'

const int = (...shape: number[]) => ({ dtype: 'int32', shape }) as const

const GRAPHS: Readonly<Record<string, Graph>> = {
  'elementwise-chain': graphOf('chain', { x: [3, 4], scale: [4], shift: [3, 1] }, ({ x, scale, shift }) => ({
    y: ops.relu(ops.add(ops.mul(x, scale), ops.exp(shift))),
  })),
  'small-product': graphOf('small product', { x: [3, 6], w: [5, 6] }, ({ x, w }) => ({
    y: ops.matmul(x, ops.swapLast(w)),
  })),
  'tiled-product': graphOf('tiled product', { x: [2, 400, 24], w: [24, 33] }, ({ x, w }) => ({
    y: ops.matmul(x, w),
  })),
  'long-product': graphOf('long product', { x: [4, 3000], w: [3000, 5] }, ({ x, w }) => ({
    y: ops.matmul(x, w),
  })),
  'softmax-over-the-middle-axis': graphOf('softmax', { x: [2, 3, 4] }, ({ x }) => ({ y: ops.softmax(x, 1) })),
  'softmax-of-long-rows': graphOf('long softmax', { x: [2, 1000] }, ({ x }) => ({ y: ops.softmax(x) })),
  'concat-and-pad': graphOf('edges', { x: [2, 3], y: [2, 5] }, ({ x, y }) => ({
    z: ops.pad(ops.concat([x, ops.neg(y)], 1), 1, 2, 1, 7),
  })),
  'gather-and-scatter': graphOf('indices', { x: [5, 3], at: int(4), by: [4, 3] }, ({ x, at, by }) => ({
    rows: ops.gather(x, at, 0),
    sums: ops.scatterAdd(x, ops.reshape(at, [4, 1]), by),
  })),
  'top-k': graphOf('top', { x: [6, 10] }, ({ x }) => ({ ...ops.topk(x, 3) })),
  'linear-scan': leaky(6, 9),
  'scan-by-rows': capped(3, 5, 0),
  'scan-alone': capped(3, 5, null),
  literals: graphOf('literals', { x: [2], n: int(2) }, ({ x, n }) => {
    const of = (value: number): Value => x.builder.constant(value)
    const values = [Number.POSITIVE_INFINITY, -0, 1e-40, 1e38, -0.1].map((v) => ops.mul(x, of(v)))
    return { y: ops.concat(values, 0), m: ops.div(n, x.builder.constant(-(2 ** 31), [], 'int32')) }
  }),
  'step-of-a-gate': gate.graph({ steps: 1, state: true }),
}

describe('the WGSL of', () => {
  for (const [name, graph] of Object.entries(GRAPHS)) {
    it(name, async () => {
      await expect(toWgsl(graph, { batch: 2 })).toMatchFileSnapshot(`wgsl/${name}.wgsl`)
    })
  }

  it('a graph is the same every time', () => {
    for (const graph of Object.values(GRAPHS)) expect(toWgsl(graph)).toBe(toWgsl(graph))
  })
})

describe('toWgsl', () => {
  const graph = capped(1, 1, null)
  it.each([
    [null, 'FEP_BAD_ARGUMENT'],
    [{ batch: -1 }, 'FEP_BAD_ARGUMENT'],
    [{ batches: 2 }, 'FEP_BAD_ARGUMENT'],
  ])('refuses %j', (options, code) => {
    expect(() => toWgsl(graph, options as never)).toThrow(expect.objectContaining({ code }))
  })

  it('keeps names of any kind inside of their comments', () => {
    const odd = graphOf('a\n}', { 'x */': [1] }, (values) => ({ '\u2028y': ops.neg(values['x */']) }))
    const outside = toWgsl(odd)
      .split('\n')
      .filter((line) => !line.startsWith('//'))
    expect(outside.join('\n')).not.toMatch(/\*\/|\u2028/)
  })
})
