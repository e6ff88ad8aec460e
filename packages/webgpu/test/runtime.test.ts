/** Runs, reads and memory of programs that are written by hand. */
import { type DeviceTensor, type Fetches, type ProgramImplementation, tensor } from '@fep-moe/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Lifetime } from '../src/runtime/lifetime.js'
import { reasonAgainst, standIn } from './adapter.js'
import { counter, kernel, kinds, load, openLifetime } from './hand-written.js'

const all = async (fetched: Fetches) =>
  Object.fromEntries(
    await Promise.all(Object.entries(fetched).map(async ([name, t]) => [name, [...(await t.read())]])),
  )
const release = (fetched: Fetches) => Object.values(fetched).forEach((t) => t.dispose())

if (reasonAgainst) standIn(reasonAgainst)
else
  describe('a program on a device', () => {
    let lifetime: Lifetime
    let count: ProgramImplementation
    beforeAll(async () => {
      lifetime = await openLifetime()
      count = await load(counter(3), lifetime)
    })
    afterAll(async () => {
      count.dispose()
      await lifetime.dispose()
    })
    const start = () => count.run({ s: tensor([1, 2, -9]), x: tensor([1, 0, 1]) })

    it('takes host arrays and gives every output, shared and empty ones too', async () => {
      const results = await start()
      const want = { s: [3, 2, -7], positive: [1, 1, 0], index: [0, 1, 2], again: [3, 2, -7], none: [] }
      expect(await all(results)).toEqual(want)
      expect((await results.positive?.read())?.constructor).toBe(Uint8Array)
      expect((await results.index?.read())?.constructor).toBe(Int32Array)
      expect(results.s).toMatchObject({ dtype: 'float32', shape: [3] })
      release(results)
    })
    it('keeps booleans and integers whole', async () => {
      const program = await load(kinds(5), lifetime)
      const given = tensor(Uint8Array.of(1, 0, 1, 1, 0))
      const whole = tensor(Int32Array.of(-1, 2 ** 30, 0, 5, -7))
      const want = { not: [0, 1, 0, 0, 1], back: [1, 0, 1, 1, 0], twice: [-2, -(2 ** 31), 0, 10, -14] }
      const results = await program.run({ given, whole })
      expect(await all(results)).toEqual(want)
      const out = { not: tensor(new Uint8Array(5)), twice: tensor(new Int32Array(5)) }
      await program.runInto?.({ given: results.back as DeviceTensor, whole }, out)
      expect([...out.not.data]).toEqual(want.not)
      expect([...out.twice.data]).toEqual(want.twice)
      release(results)
      program.dispose()
    })
    it('feeds results to the next run without a read', async () => {
      let state = await start()
      for (let i = 0; i < 5; i++) {
        const next = await count.run({ s: state.s as DeviceTensor, x: state.again as DeviceTensor })
        release(state)
        state = next
      }
      expect([...((await state.s?.read()) ?? [])]).toEqual([3 ** 6, 2 * 3 ** 5, -7 * 3 ** 5])
      release(state)
    })
    it('reads a tensor of another executor first', async () => {
      const other = await openLifetime()
      const theirs = await load(counter(3), other)
      const away = await theirs.run({ s: tensor([0, 0, 0]), x: tensor([1, 2, 3]) })
      const results = await count.run({ s: away.s as DeviceTensor, x: tensor([0, 0, 0]) })
      expect([...((await results.s?.read()) ?? [])]).toEqual([2, 4, 6])
      release(results)
      theirs.dispose()
      await other.dispose()
    })
    it('writes some outputs into host arrays', async () => {
      const out = { again: tensor([0, 0, 0]), positive: tensor(Uint8Array.of(9, 9, 9)) }
      await count.runInto?.({ s: tensor([1, 2, -9]), x: tensor([1, 0, 1]) }, out)
      expect([...out.again.data]).toEqual([3, 2, -7])
      expect([...out.positive.data]).toEqual([1, 1, 0])
    })
    it('reads one tensor several times at once, and frees it meanwhile', async () => {
      const results = await start()
      const reads = [results.s, results.s, results.index].map((t) => t?.read())
      release(results)
      const meanwhile = await count.run({ s: tensor([5, 5, 5]), x: tensor([5, 5, 5]) })
      expect((await Promise.all(reads)).map((data) => [...(data ?? [])])).toEqual([
        [3, 2, -7],
        [3, 2, -7],
        [0, 1, 2],
      ])
      await expect(results.s?.read()).rejects.toMatchObject({ code: 'FEP_DISPOSED' })
      release(meanwhile)
    })
    it('keeps a feed that is freed right after the call', async () => {
      const first = await start()
      // The pool is empty for the second program, so its buffers must be made before it can run.
      const fresh = await load(counter(3), lifetime)
      const held = await Promise.all([start(), start(), start()])
      const pending = fresh.run({ s: first.s as DeviceTensor, x: tensor([0, 0, 0]) })
      release(first)
      const results = await pending
      expect([...((await results.s?.read()) ?? [])]).toEqual([3, 2, -7])
      for (const fetched of [...held, results]) release(fetched)
      fresh.dispose()
    })
    it('refuses a feed that was disposed', async () => {
      const gone = await start()
      release(gone)
      const run = count.run({ s: gone.s as DeviceTensor, x: tensor([0, 0, 0]) })
      await expect(run).rejects.toMatchObject({ code: 'FEP_DISPOSED' })
    })
    it('submits what costs too much in pieces, in order', async () => {
      const source = counter(3)
      const heavy = source.dispatches.map((dispatch) => ({ ...dispatch, cost: 2 ** 40 }))
      const program = await load({ ...source, dispatches: heavy }, lifetime)
      const results = await program.run({ s: tensor([1, 2, -9]), x: tensor([1, 0, 1]) })
      expect(await all(results)).toMatchObject({ again: [3, 2, -7], positive: [1, 1, 0] })
      release(results)
      program.dispose()
    })
    it('runs a program without a kernel', async () => {
      const { dispatches: _, ...rest } = kinds(2)
      const program = await load({ ...rest, dispatches: [] }, lifetime)
      const given = tensor(Uint8Array.of(0, 1))
      const results = await program.run({ given, whole: tensor(Int32Array.of(1, 2)) })
      expect([...((await results.back?.read()) ?? [])]).toEqual([0, 1])
      release(results)
      program.dispose()
    })

    describe('pipelines', () => {
      it('are made once per text, whatever the places', async () => {
        const own = await openLifetime()
        const first = await load(counter(3), own)
        expect(own.latest.pipelines.stats()).toEqual({ created: 3, hits: 0, hitRate: 0, kept: 3 })
        const source = counter(3)
        const [moved] = source.dispatches
        const second = await load(source, own)
        expect(own.latest.pipelines.stats()).toEqual({ created: 3, hits: 3, hitRate: 0.5, kept: 3 })
        const words = Uint32Array.of(3, 0, 6, 0)
        const third = await load({ ...source, dispatches: [{ ...moved!, words }] }, own)
        expect(own.latest.pipelines.stats().hits).toBe(4)
        const results = await third.run({ s: tensor([1, 2, 3]), x: tensor([10, 20, 30]) })
        expect([...((await results.s?.read()) ?? [])]).toEqual([12, 24, 36])
        for (const program of [first, second, third]) program.dispose()
        await own.dispose()
      })
      it('that do not compile say where, and leave the device as it was', async () => {
        const broken = kernel('y: Neg', 1, 'let y = 1u +;')
        const source = { ...counter(3), dispatches: [broken, kernel('z: Exp', 1, 'arena[0] = nothing;')] }
        const before = lifetime.latest.pipelines.stats().kept
        const errors = await Promise.allSettled([load(source, lifetime), load(source, lifetime)])
        for (const outcome of errors) {
          expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'FEP_BACKEND_FAILED' } })
          const { message } = (outcome as PromiseRejectedResult).reason as Error
          expect(message).toMatch(/'y: Neg'.*\d+:\d+/s)
        }
        expect(lifetime.latest.pipelines.stats().kept).toBe(before)
        const { gpu } = lifetime.latest
        gpu.pushErrorScope('validation')
        await expect(gpu.popErrorScope()).resolves.toBeNull()
        await expect(gpu.popErrorScope()).rejects.toThrow()
        release(await start())
      })
    })

    describe('limits', () => {
      it('are checked before anything is made', async () => {
        const { maxBufferSize } = lifetime.latest.gpu.limits
        const source = { ...counter(3), arenaWords: maxBufferSize / 4 + 1 }
        const error = await load(source, lifetime).catch((reason) => reason)
        expect(error.code).toBe('FEP_BACKEND_FAILED')
        expect(error.message).toContain(String(maxBufferSize + 4))
        expect(error.message).toContain(String(maxBufferSize))
      })
      it('of the adapter are those of the device', async () => {
        const { maxBufferSize, maxStorageBufferBindingSize } = lifetime.latest.gpu.limits
        expect(maxBufferSize).toBeGreaterThanOrEqual(2 ** 28)
        expect(maxStorageBufferBindingSize).toBeGreaterThanOrEqual(2 ** 27)
      })
    })
  })
