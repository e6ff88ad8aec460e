import { conformanceCases } from '@fep-moe/conformance'
import {
  type Backend,
  createGate,
  type Feeds,
  type Fetches,
  type Graph,
  ops,
  referenceBackend,
  sgd,
  type Value,
} from '@fep-moe/core'
import { jsBackend } from '@fep-moe/js'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { feedsOf, graphOf, wave } from './graphs.js'

let js: Backend
let reference: Backend
beforeAll(async () => {
  ;[js, reference] = [await jsBackend(), await referenceBackend()]
})

const bits = (fetched: Fetches): Record<string, readonly number[]> =>
  Object.fromEntries(
    Object.entries(fetched).map(([name, t]) => {
      const data = t.readSync?.() as Float32Array
      // NaN has many encodings, and arithmetic does not say which one it makes.
      const plain = data.map((x: number) => (Number.isNaN(x) ? Number.NaN : x))
      return [name, [...new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength)]]
    }),
  )

async function runAll(graph: Graph, runs: readonly { readonly feeds: Feeds }[]) {
  const program = await js.compile(graph)
  const results = []
  for (const { feeds } of runs) results.push(bits(await program.run(feeds)))
  program.dispose()
  return results
}

async function expectSameBits(graph: Graph, runs: readonly Feeds[]): Promise<void> {
  const [mine, theirs] = [await js.compile(graph), await reference.compile(graph)]
  for (const feeds of runs) expect(bits(await mine.run(feeds))).toEqual(bits(await theirs.run(feeds)))
}

describe('bit for bit the reference', () => {
  const cases = conformanceCases().flatMap((c) => (c.kind === 'graph' ? [c] : []))

  it.each(cases.map((c) => [c.id, c] as const))('%s', async (_id, c) => {
    await expectSameBits(
      c.graph(),
      c.runs().map(({ feeds }) => feeds),
    )
  })

  it('whatever memory holds before a run', async () => {
    /** Every byte 255: floats are NaN, integers -1. */
    class Dirty extends ArrayBuffer {
      constructor(bytes: number) {
        super(bytes)
        new Uint8Array(this).fill(255)
      }
    }
    const clean = []
    for (const c of cases) clean.push(await runAll(c.graph(), c.runs()))
    vi.stubGlobal('ArrayBuffer', Dirty)
    try {
      for (const [i, c] of cases.entries()) expect(await runAll(c.graph(), c.runs())).toEqual(clean[i])
    } finally {
      vi.unstubAllGlobals()
    }
  }, 60_000)

  it.each([
    ['a vector and a matrix', [1, 37], [37, 29]],
    ['a matrix and a vector', [29, 37], [37, 1]],
    ['matrices that no block divides', [7, 33], [33, 11]],
    ['broadcast batches', [2, 1, 5, 6], [3, 6, 9]],
  ])('products: %s', async (_what, a, b) => {
    const plain = graphOf({ a, b }, (v) => ({ y: ops.matmul(v.a as Value, v.b as Value) }))
    await expectSameBits(plain, [feedsOf(plain)])
    const turned = graphOf({ a: swapped(a), b: swapped(b) }, (v) => ({
      y: ops.matmul(ops.swapLast(v.a as Value), ops.swapLast(v.b as Value)),
    }))
    await expectSameBits(turned, [feedsOf(turned)])
  })

  it('the k largest, by insertion and by sorting, ties in order', async () => {
    for (const k of [0, 1, 3, 16, 17, 40]) {
      const graph = graphOf({ x: [40, 3] }, ({ x }) =>
        ops.topk(ops.cast(ops.mul(x as Value, 5), 'int32'), k, 0),
      )
      await expectSameBits(graph, [feedsOf(graph)])
    }
  })

  it('states that change places in a scan', async () => {
    const body = graphOf({ a: [2], b: [2], c: [2], x: [2] }, ({ a, b, c, x }) => ({
      a: b as Value,
      b: ops.add(a as Value, x as Value),
      c: c as Value,
      y: a as Value,
    }))
    const graph = graphOf({ a: [2], b: [2], xs: [5, 2] }, ({ a, b, xs }) => {
      const { last, ys } = ops.scan(body, { init: [a, b, b] as Value[], xs: [xs as Value] }, { axis: 0 })
      return { a: last[0] as Value, b: last[1] as Value, c: last[2] as Value, ys: ys[0] as Value }
    })
    await expectSameBits(graph, [feedsOf(graph)])
  })

  it('a gate after training', async () => {
    const gate = createGate({
      dim: 8,
      experts: 4,
      memory: { kind: 'leaky' },
      anticipation: { kind: 'additive', width: 16 },
      select: { kind: 'top-k', k: 2 },
    })
    const trained = async (backend: Backend) => {
      const trainer = await gate.trainer(backend, gate.init({ seed: 3 }), {
        optimizer: sgd({ lr: 0.1 }),
        loss: 'cross-entropy',
      })
      const targets = {
        dtype: 'int32',
        shape: [5, 6],
        data: Int32Array.from({ length: 30 }, (_, i) => i % 4),
      } as const
      for (let i = 0; i < 3; i++) await trainer.step({ x: wave([5, 6, 8], i), targets })
      return trainer.params()
    }
    expect(await trained(js)).toEqual(await trained(reference))
  })
})

const swapped = (shape: readonly number[]): number[] => {
  const [m, k] = shape.slice(-2) as [number, number]
  return [...shape.slice(0, -2), k, m]
}
