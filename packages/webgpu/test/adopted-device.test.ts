/** A device that belongs to the caller. */
import { type ProgramImplementation, tensor } from '@fep-moe/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { GpuDevice, GpuError } from '../src/runtime/api.js'
import { Device } from '../src/runtime/device.js'
import { Lifetime } from '../src/runtime/lifetime.js'
import { describeAdapter, openDevice } from '../src/runtime/open.js'
import { Usage } from '../src/runtime/usage.js'
import { reasonAgainst, standIn } from './adapter.js'
import { counter, kernel, load } from './hand-written.js'

const feeds = () => ({ s: tensor([1, 2, -9]), x: tensor([1, 0, 1]) })

const adopt = (gpu: GpuDevice): Lifetime => {
  const usage = new Usage()
  return new Lifetime(new Device(gpu, describeAdapter(gpu.adapterInfo), true, usage), usage, undefined)
}

/** A device whose memory is full: what is created inside an out-of-memory scope fails. */
function withoutMemory(gpu: GpuDevice, full: () => boolean): GpuDevice {
  const filters: string[] = []
  return new Proxy(gpu, {
    get: (target, name) => {
      if (name === 'pushErrorScope')
        return (filter: 'validation') => {
          filters.push(filter)
          target.pushErrorScope(filter)
        }
      if (name === 'popErrorScope')
        return async (): Promise<GpuError | null> => {
          const fails = filters.pop() === 'out-of-memory' && full()
          const error = await target.popErrorScope()
          return fails ? { message: 'out of memory' } : error
        }
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

if (reasonAgainst) standIn(reasonAgainst)
else
  describe('a device of the caller', () => {
    let gpu: GpuDevice
    const uncaptured: string[] = []
    beforeEach(async () => {
      gpu = (await openDevice(undefined)).gpu
      uncaptured.length = 0
      const listen = (event: { error: GpuError }) => uncaptured.push(event.error.message)
      gpu.addEventListener('uncapturederror', listen as never)
    })
    afterEach(() => {
      gpu.destroy()
    })
    const runs = async (program: ProgramImplementation) => {
      const out = { s: tensor([0, 0, 0]) }
      await program.runInto?.(feeds(), out)
      expect([...out.s.data]).toEqual([3, 2, -7])
    }

    it('outlives the backend, whose tensors do not', async () => {
      const lifetime = adopt(gpu)
      const program = await load(counter(3), lifetime)
      const results = await program.run(feeds())
      program.dispose()
      await lifetime.dispose()
      await expect(results.s?.read()).rejects.toMatchObject({ code: 'FEP_DISPOSED' })
      const again = adopt(gpu)
      const next = await load(counter(3), again)
      await runs(next)
      next.dispose()
      await again.dispose()
      expect(uncaptured).toEqual([])
    })
    it('says what it is', () => {
      expect(describeAdapter(gpu.adapterInfo)).toMatchObject({ name: expect.any(String) })
      expect(describeAdapter(undefined)).toEqual({ name: undefined, software: false })
    })
    it('hears nothing of errors that belong to the backend', async () => {
      const lifetime = adopt(gpu)
      const broken = { ...counter(3), dispatches: [kernel('y: Neg', 1, 'nothing;')] }
      await expect(load(broken, lifetime)).rejects.toMatchObject({ code: 'FEP_BACKEND_FAILED' })
      await lifetime.dispose()
      expect(uncaptured).toEqual([])
    })
    it('is not replaced when it is lost', async () => {
      const lifetime = adopt(gpu)
      const program = await load(counter(3), lifetime)
      gpu.destroy()
      await gpu.lost
      for (let i = 0; i < 2; i++)
        await expect(program.run(feeds())).rejects.toMatchObject({ code: 'FEP_DEVICE_LOST' })
      await expect(load(counter(3), lifetime)).rejects.toMatchObject({ code: 'FEP_DEVICE_LOST' })
      program.dispose()
      await lifetime.dispose()
    })
    it('without memory fails compilations and runs, and goes on when there is some', async () => {
      let full = true
      const lifetime = adopt(withoutMemory(gpu, () => full))
      const short = { code: 'FEP_BACKEND_FAILED' }
      await expect(load(counter(3), lifetime)).rejects.toMatchObject(short)
      full = false
      const program = await load(counter(3), lifetime)
      full = true
      await expect(program.run(feeds())).rejects.toMatchObject(short)
      await expect(program.runInto?.(feeds(), { s: tensor([0, 0, 0]) })).rejects.toMatchObject(short)
      expect(lifetime.latest.results.state()).toEqual({ buffers: 0, bytes: 0, waiting: 0 })
      expect(lifetime.latest.staging.state()).toEqual({ buffers: 0, bytes: 0, waiting: 0 })
      full = false
      await runs(program)
      program.dispose()
      await lifetime.dispose()
      expect(uncaptured).toEqual([])
    })
    it('that reports an invalid call stops the backend, not itself', async () => {
      const lifetime = adopt(gpu)
      const source = counter(3)
      const [first] = source.dispatches
      // More workgroups than a device has, which no compiler emits.
      const invalid = { ...source, dispatches: [{ ...first!, workgroups: [2 ** 20, 1, 1] as const }] }
      const program = await load(invalid, lifetime)
      const failed = { code: 'FEP_BACKEND_FAILED' }
      await expect(program.runInto?.(feeds(), { s: tensor([0, 0, 0]) })).rejects.toMatchObject(failed)
      await expect(program.run(feeds())).rejects.toMatchObject(failed)
      program.dispose()
      await lifetime.dispose()
      expect(uncaptured).toEqual([])
      const other = adopt(gpu)
      const next = await load(source, other)
      await runs(next)
      next.dispose()
      await other.dispose()
    })
  })
