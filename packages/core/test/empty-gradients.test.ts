/** Gradients through values without elements: dimensions of 0 leave nothing from which -1 could be inferred. */
import { GraphBuilder, gradients, interpret, ops, type Value, verifyGraph } from '@fep-moe/core'
import { describe, expect, it } from 'vitest'

type Input = (name: string, shape: readonly (number | 'batch')[]) => Value

const CASES: Readonly<Record<string, (input: Input, builder: GraphBuilder) => Value>> = {
  'a shared right matrix without columns': (input) => ops.matmul(input('a', [2, 3, 1]), input('b', [1, 0])),
  'a shared right matrix without rows': (input) => ops.matmul(input('a', [1, 3, 0]), input('b', [0, 2])),
  'a shared left matrix without rows': (input) => ops.matmul(input('a', [0, 2]), input('b', [3, 2, 1])),
  'a shared left matrix and no columns': (input) => ops.matmul(input('a', [2, 2]), input('b', [3, 2, 0])),
  'no rows chosen from a table of empty rows': (input, builder) =>
    ops.gather(input('a', [3, 0]), builder.constant([1, 2], [2], 'int32'), 0),
  'a batch of nothing, flattened': (input) => ops.reshape(input('a', ['batch', 0]), [-1]),
}

describe('gradients through values without elements', () => {
  it.each(Object.entries(CASES))('%s', (_name, body) => {
    const builder = new GraphBuilder('empty')
    const y = body((name, shape) => builder.input(name, 'float32', shape), builder)
    builder.output('loss', ops.sum(ops.mul(y, y)))
    const graph = builder.build()
    const derived = gradients(graph, { of: 'loss', wrt: graph.inputs })
    verifyGraph(derived)
    const feeds = Object.fromEntries(
      graph.inputs.map((name) => {
        const shape = (graph.values[name]?.shape ?? []).map((d) => (d === 'batch' ? 2 : (d as number)))
        return [
          name,
          {
            dtype: 'float32' as const,
            shape,
            data: new Float64Array(shape.reduce((n, d) => n * d, 1)).fill(2),
          },
        ]
      }),
    )
    const results = interpret(derived, feeds, { batch: 2 })
    for (const name of graph.inputs) {
      expect(results[`grad/${name}`]?.shape).toEqual(feeds[name]?.shape)
      expect(Array.from(results[`grad/${name}`]?.data ?? [NaN]).every((v) => v === 0)).toBe(true)
    }
  })
})
