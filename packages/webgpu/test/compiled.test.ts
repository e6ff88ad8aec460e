/** What the compiler makes, on a device: forms that the suite's graphs are too small or too few for. */
import { bindBatch, expandComposites, type Graph, interpret, ops, type Tensor } from '@fep-moe/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Lifetime } from '../src/runtime/lifetime.js'
import { type CompilerLimits, toDispatches } from '../src/to-wgsl.js'
import { reasonAgainst, standIn } from './adapter.js'
import { capped, graphOf, leaky, lowered, rotating, wave } from './graphs.js'
import { load, openLifetime } from './hand-written.js'

if (reasonAgainst) standIn(reasonAgainst)
else
  describe('compiled for a device', () => {
    let lifetime: Lifetime
    beforeAll(async () => {
      lifetime = await openLifetime()
    })
    afterAll(() => lifetime.dispose())

    /** Runs twice, because a run must not depend on what the arena holds, and compares with the reference. */
    async function expectRight(graph: Graph, limits: CompilerLimits = {}, ints: Record<string, Tensor> = {}) {
      const feeds: Record<string, Tensor> = Object.fromEntries(
        graph.inputs.map((name, i) => [
          name,
          ints[name] ?? wave(graph.values[name]?.shape as readonly number[], i),
        ]),
      )
      const want = interpret(bindBatch(expandComposites(graph), 1), feeds)
      const program = await load(toDispatches(lowered(graph), limits), lifetime)
      for (let run = 0; run < 2; run++) {
        const results = await program.run(feeds)
        for (const [name, { data }] of Object.entries(want)) {
          const got = await results[name]?.read()
          expect(got).toHaveLength(data.length)
          const most = Array.from(data).reduce((n, x) => Math.max(n, Math.abs(x)), 1)
          for (let i = 0; i < data.length; i++)
            expect(Math.abs((got?.[i] as number) - (data[i] as number)), `${name}[${i}]`).toBeLessThan(
              2e-5 * most,
            )
          results[name]?.dispose()
        }
      }
      program.dispose()
    }

    it.each([
      [1, 1, 1],
      [33, 31, 17],
      [260, 33, 31],
      [128, 130, 37],
      [3, 5, 700],
      [40, 1, 300],
    ])('a product (%i, k) x (k, %i) with k = %i, batched and transposed', async (m, n, k) => {
      await expectRight(
        graphOf('product', { a: [2, m, k], b: [n, k], c: [k, m], d: [2, k, n] }, ({ a, b, c, d }) => ({
          x: ops.matmul(a, ops.swapLast(b)),
          y: ops.matmul(ops.swapLast(c), d),
        })),
      )
    })

    it('recurrences that are split over dispatches', async () => {
      for (const graph of [leaky(6, 40), capped(3, 40, 0), capped(3, 40, null)])
        await expectRight(graph, { mostCost: 2 ** 9 })
    })

    it('recurrences of any size, with the batch in a workgroup or not', async () => {
      for (const graph of [rotating(8, 16, 5), rotating(64, 64, 3), capped(70, 6, 0)])
        await expectRight(graph)
    })

    it('more workgroups than fit one dimension', async () => {
      const graph = graphOf('big', { x: [1000, 7], long: [70, 300] }, ({ x, long }) => ({
        y: ops.exp(x),
        soft: ops.softmax(long),
        sum: ops.sum(long, 1),
      }))
      await expectRight(graph, { maxWorkgroupsPerDimension: 13 })
    })

    it('long rows, in every operator that walks one', async () => {
      await expectRight(
        graphOf('rows', { x: [3, 1000], weight: [1000], bias: [1000] }, ({ x, weight, bias }) => ({
          softmax: ops.softmax(x),
          log: ops.logSoftmax(x),
          norm: ops.layerNorm(x, weight, bias),
          sum: ops.sum(x, 1),
          max: ops.reduceMax(x, 1),
          running: ops.cumsum(x, 1),
        })),
      )
    })

    it('many indices, looked through or walked along', async () => {
      const count = 3000
      const at: Tensor = {
        dtype: 'int32',
        shape: [count, 1],
        data: Int32Array.from({ length: count }, (_, i) => ((i * 7919) % 101) - (i % 2 ? 101 : 0)),
      }
      const scatter = (rows: number, width: number) =>
        graphOf(
          'scatter',
          { x: [rows, width], at: { dtype: 'int32', shape: [count, 1] }, by: [count, width] },
          (v) => ({ y: ops.scatterAdd(v.x, v.at, v.by) }),
        )
      await expectRight(scatter(101, 2), {}, { at })
      await expectRight(scatter(101, 80), {}, { at })
    })
  })
