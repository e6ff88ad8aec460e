/** What a lost device takes with it, and what comes back. */
import { type DeviceTensor, type ProgramImplementation, tensor } from '@fep-moe/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Device } from '../src/runtime/device.js'
import { Lifetime } from '../src/runtime/lifetime.js'
import { openDevice } from '../src/runtime/open.js'
import { Usage } from '../src/runtime/usage.js'
import { reasonAgainst, standIn } from './adapter.js'
import { counter, load, openLifetime } from './hand-written.js'

const LOST = { code: 'FEP_DEVICE_LOST' }
const feeds = () => ({ s: tensor([1, 2, -9]), x: tensor([1, 0, 1]) })

if (reasonAgainst) standIn(reasonAgainst)
else
  describe('a device that is lost', () => {
    let lifetime: Lifetime
    let program: ProgramImplementation
    beforeEach(async () => {
      lifetime = await openLifetime()
      program = await load(counter(3), lifetime)
    })
    afterEach(async () => {
      program.dispose()
      await lifetime.dispose()
    })
    const lose = async () => {
      const { gpu } = lifetime.latest
      gpu.destroy()
      await gpu.lost
    }

    it('rejects reads and runs that are under way', async () => {
      const results = await program.run(feeds())
      const out = { s: tensor([0, 0, 0]) }
      const pending = [results.s?.read(), results.index?.read(), program.runInto?.(feeds(), out)]
      lifetime.latest.gpu.destroy()
      for (const outcome of await Promise.allSettled(pending))
        expect(outcome).toMatchObject({ status: 'rejected', reason: LOST })
      expect([...out.s.data]).toEqual([0, 0, 0])
    })
    it('rejects what starts before the loss is known', async () => {
      lifetime.latest.gpu.destroy()
      const outcome = (async () => (await program.run(feeds())).s?.read())()
      await expect(outcome).rejects.toMatchObject(LOST)
    })
    it('takes its tensors with it', async () => {
      const results = await program.run(feeds())
      await lose()
      await expect(results.s?.read()).rejects.toMatchObject(LOST)
      const next = program.run({ ...feeds(), s: results.s as DeviceTensor })
      await expect(next).rejects.toMatchObject(LOST)
      results.s?.dispose()
    })
    it('is replaced for programs that are fed from the host', async () => {
      const other = await load(counter(2), lifetime)
      const old = lifetime.latest
      await lose()
      const [results, others] = await Promise.all([
        program.run(feeds()),
        other.run({ s: tensor([1, 1]), x: tensor([0, 1]) }),
      ])
      expect([...((await results.s?.read()) ?? [])]).toEqual([3, 2, -7])
      expect([...((await others.s?.read()) ?? [])]).toEqual([1, 3])
      expect(lifetime.latest).not.toBe(old)
      expect(lifetime.latest.pipelines.stats().created).toBe(6)
      const again = await program.run({ ...feeds(), s: results.s as DeviceTensor })
      expect([...((await again.s?.read()) ?? [])]).toEqual([5, 2, -5])
      other.dispose()
    })
    it('is replaced for graphs that are compiled later', async () => {
      await lose()
      const later = await load(counter(1), lifetime)
      const out = { s: tensor([0]) }
      await later.runInto?.({ s: tensor([1]), x: tensor([1]) }, out)
      expect([...out.s.data]).toEqual([3])
      later.dispose()
    })
    it('fails a compilation that is under way', async () => {
      const pending = load(counter(4), lifetime)
      lifetime.latest.gpu.destroy()
      await expect(pending).rejects.toMatchObject(LOST)
    })
    it('stays lost where no other can be opened', async () => {
      const usage = new Usage()
      const { gpu, adapter } = await openDevice(undefined)
      const alone = new Lifetime(new Device(gpu, adapter, false, usage), usage, () =>
        Promise.reject(new Error('no adapter')),
      )
      const mine = await load(counter(3), alone)
      gpu.destroy()
      await gpu.lost
      await expect(mine.run(feeds())).rejects.toMatchObject(LOST)
      mine.dispose()
      await alone.dispose()
    })
  })
