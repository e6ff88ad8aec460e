import {
  type Graph,
  GraphBuilder,
  interpret,
  type NdArray,
  ops,
  type Shape,
  type Tensor,
} from '@fep-moe/core'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  CHUNK_LANES,
  chooseLinearScan,
  type LinearScanForm,
  PRODUCT_STEPS,
} from '../src/linear-scan/choose.js'
import { loadRuntime } from '../src/runtime/load.js'
import type { OnnxRuntime } from '../src/runtime/runtime.js'
import { openSession } from '../src/runtime/session.js'
import { buildModel } from '../src/to-onnx.js'
import { difference } from './agreement.js'
import { uniform } from './cases.js'

let runtime: OnnxRuntime
beforeAll(async () => {
  runtime = await loadRuntime()
})

describe('the form is a function of the shape', () => {
  const choose = (a: Shape, b: Shape, axis = 1, batchHint = 32) => chooseLinearScan({ a, b, axis, batchHint })
  it.each<[string, Shape, Shape, number, LinearScanForm]>([
    ['no steps', [16, 1, 1], [16, 0, 'batch'], 1, 'empty'],
    ['one step', [16, 1, 1], [16, 1, 'batch'], 1, 'step'],
    ['one step of a time-varying a', [16, 1, 1], [16, 1, 'batch'], 1, 'step'],
    ['a training graph', [16, 1, 1], [16, 11, 'batch'], 1, 'product'],
    ['the longest product', [64, 1, 1], [64, PRODUCT_STEPS, 256], 1, 'product'],
    ['a shared by all lanes', [1, 1, 1], [64, 12, 'batch'], 1, 'product'],
    ['a that changes over time', [16, 11, 1], [16, 11, 'batch'], 1, 'scan'],
    ['lanes behind the scanned axis', [1, 1, 16], ['batch', 11, 16], 1, 'scan'],
    ['long and wide', [64, 1, 1], [64, PRODUCT_STEPS + 1, 256], 1, 'scan'],
    ['long and narrow', [16, 1, 1], [16, 4096, 8], 1, 'chunks'],
    ['long, on the last axis', [16, 1], [16, 4096], 1, 'chunks'],
  ])('%s', (_name, a, b, axis, form) => {
    expect(choose(a, b, axis)).toBe(form)
  })
  it('a symbolic batch counts as the hint', () => {
    const long: Shape = [16, 1000, 'batch']
    expect(choose([16, 1, 1], long, 1, CHUNK_LANES / 16)).toBe('chunks')
    expect(choose([16, 1, 1], long, 1, CHUNK_LANES / 16 + 1)).toBe('scan')
  })
})

/** h and its last slice, from a start that is zero or a feed. */
function recurrence(shape: readonly [number, number, number], reverse: boolean, fromZero: boolean): Graph {
  const [d, steps, columns] = shape
  const builder = new GraphBuilder('recurrence')
  const a = builder.input('a', 'float32', [d, 1, 1])
  const b = builder.input('b', 'float32', [d, steps, columns])
  const h0 = fromZero ? 0 : builder.input('h0', 'float32', [d, 1, columns])
  const { h, last } = ops.linearScan(a, b, h0, { axis: 1, reverse })
  builder.output('h', h)
  builder.output('last', last)
  return builder.build()
}

it('all forms agree with the reference, whatever a is', async () => {
  const dims = fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 2, max: 140 }),
    fc.integer({ min: 1, max: 3 }),
  )
  await fc.assert(
    fc.asyncProperty(
      dims,
      fc.boolean(),
      fc.boolean(),
      fc.integer(),
      async (shape, reverse, fromZero, seed) => {
        const graph = recurrence(shape, reverse, fromZero)
        const random = uniform(seed)
        const fill = (n: number, next: () => number) => Float32Array.from({ length: n }, next)
        const [d, steps, columns] = shape
        const special = [0, 1, -0.5, -1]
        const feeds: Record<string, Tensor> = {
          a: {
            dtype: 'float32',
            shape: [d, 1, 1],
            data: fill(d, () => special[Math.floor(random() * 8)] ?? random()),
          },
          b: {
            dtype: 'float32',
            shape: [d, steps, columns],
            data: fill(d * steps * columns, () => random() - 0.5),
          },
        }
        if (!fromZero)
          feeds.h0 = { dtype: 'float32', shape: [d, 1, columns], data: fill(d * columns, random) }
        const truth = interpret(graph, feeds)
        // One rounding per step, of values no larger than the largest state.
        let largest = 1
        for (const h of (truth.h as NdArray).data) largest = Math.max(largest, Math.abs(h))
        const tolerance = steps * 2 ** -24 * largest
        for (const linearScan of ['product', 'chunks', 'scan'] as const) {
          const program = await openSession(runtime, buildModel(graph, { threads: 1, linearScan }), graph, {
            threads: 1,
          })
          const ours = await program.run(feeds)
          for (const name of ['h', 'last'])
            expect(
              difference(ours[name] as never, truth[name] as never),
              `${linearScan} ${name}`,
            ).toBeLessThanOrEqual(tolerance)
          program.dispose()
        }
      },
    ),
    { numRuns: 25 },
  )
})
