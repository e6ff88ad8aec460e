import { type Backend, type HostFetches, ops, type Tensor, tensor, type Value } from '@fep-moe/core'
import { createBackend, jsBackend, toJavaScript } from '@fep-moe/js'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { feedsOf, graphOf, wave } from './graphs.js'

let backend: Backend
beforeEach(async () => {
  backend = await jsBackend()
})
afterEach(() => backend.dispose())

describe('options', () => {
  it.each([
    ['an unknown one', { threads: 2 }],
    ['null', null],
    ['an array', []],
    ['a string', 'fast'],
  ])('%s is refused', async (_what, options) => {
    await expect(createBackend(options as never)).rejects.toMatchObject({ code: 'FEP_BAD_ARGUMENT' })
  })

  it('none are needed', async () => {
    expect((await createBackend()).name).toBe('js')
    expect((await createBackend({})).capabilities).toEqual(backend.capabilities)
  })
})

describe('the artifact', () => {
  it('is the code that runs', async () => {
    const graph = graphOf({ x: [4] }, ({ x }) => ({ y: ops.exp(x as Value) }))
    const { artifact } = await backend.compile(graph)
    expect(artifact).toEqual({ format: 'javascript', data: toJavaScript(graph) })
  })
})

describe('where code from strings is forbidden', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  it('compile says so', async () => {
    class Forbidden {
      constructor() {
        throw new EvalError('Refused to evaluate a string as JavaScript')
      }
    }
    vi.stubGlobal('Function', Forbidden)
    const graph = graphOf({ x: [4] }, ({ x }) => ({ y: ops.exp(x as Value) }))
    await expect(backend.compile(graph)).rejects.toMatchObject({
      code: 'FEP_BACKEND_FAILED',
      cause: expect.any(EvalError),
    })
  })
})

describe('memory', () => {
  const graph = graphOf({ a: [4], b: [4] }, (v) => ({
    sum: ops.add(v.a as Value, v.b as Value),
    product: ops.mul(ops.exp(v.a as Value), v.b as Value),
    first: v.a as Value,
    second: v.b as Value,
  }))
  const numbers = (t: Tensor) => [...t.data]

  it('results of a run are nobody else’s', async () => {
    const program = await backend.compile(graph)
    const feeds = feedsOf(graph)
    const one = await program.run(feeds)
    const before = Object.values(one).map((t) => [...(t.readSync?.() ?? [])])
    feeds.a?.data.fill(7)
    const two = await program.run(feeds)
    for (const t of Object.values(two)) t.readSync?.().fill(9)
    expect(Object.values(one).map((t) => [...(t.readSync?.() ?? [])])).toEqual(before)
    const arrays = [...Object.values(one), ...Object.values(two)].map((t) => t.readSync?.().buffer)
    expect(new Set(arrays).size).toBe(8)
  })

  it('a result may be written over any feed, crosswise too', async () => {
    const program = await backend.compile(graph)
    const fresh = await program.run(feedsOf(graph))
    for (const names of [
      { sum: 'a', product: 'b' },
      { sum: 'b', product: 'a' },
      { first: 'b', second: 'a' },
    ]) {
      const feeds = feedsOf(graph)
      const out = Object.fromEntries(
        Object.entries(names).map(([output, feed]) => [output, feeds[feed] as Tensor]),
      )
      program.runInto(feeds, out)
      for (const name of Object.keys(names))
        expect([...(out[name] as Tensor).data]).toEqual([...(fresh[name]?.readSync?.() ?? [])])
    }
  })

  it('a result may overlap a feed in part', async () => {
    const program = await backend.compile(graph)
    const want = await program.run(feedsOf(graph))
    const shared = new Float32Array(6)
    const feeds = { ...feedsOf(graph), a: tensor(shared.subarray(0, 4)) }
    feeds.a.data.set(wave([4], 0).data)
    const out: HostFetches = { product: tensor(shared.subarray(2, 6)) }
    program.runInto(feeds, out)
    expect(numbers(out.product as Tensor)).toEqual([...(want.product?.readSync?.() ?? [])])
  })

  it('a state that feeds itself moves on', async () => {
    const step = graphOf({ h: [3], x: [3] }, ({ h, x }) => ({
      h: ops.add(ops.mul(h as Value, 0.5), x as Value),
    }))
    const program = await backend.compile(step)
    const h = tensor(new Float32Array(3))
    for (let i = 0; i < 3; i++) program.runInto({ h, x: tensor(Float32Array.of(1, 2, 4)) }, { h })
    expect(numbers(h)).toEqual([1.75, 3.5, 7])
  })

  it('a run that fails leaves results and program as they were', async () => {
    const pick = graphOf({ x: [3], at: { dtype: 'int32', shape: [2] } }, ({ x, at }) => ({
      y: ops.gather(x as Value, at as Value),
    }))
    const program = await backend.compile(pick)
    const x = tensor(Float32Array.of(1, 2, 3))
    const y = tensor(Float32Array.of(8, 9))
    expect(() => program.runInto({ x, at: tensor(Int32Array.of(0, 3)) }, { y })).toThrow(
      expect.objectContaining({ code: 'FEP_BACKEND_FAILED' }),
    )
    expect(numbers(y)).toEqual([8, 9])
    program.runInto({ x, at: tensor(Int32Array.of(-1, 0)) }, { y })
    expect(numbers(y)).toEqual([3, 1])
  })
})
