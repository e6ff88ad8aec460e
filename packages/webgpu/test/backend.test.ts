/** The backend as users make it. */
import { createGate, FepError, type Graph, GraphBuilder, ops, referenceBackend, tensor } from '@fep-moe/core'
import {
  createBackend,
  pipelineStats,
  type WebgpuBackendOptions,
  WebgpuTensor,
  webgpuBackend,
} from '@fep-moe/webgpu'
import { describe, expect, it } from 'vitest'
import { lifetimeOf } from '../src/backend.js'
import { openDevice } from '../src/runtime/open.js'
import { reasonAgainst, standIn } from './adapter.js'

/** y = (x W + 1)², any batch. */
function affine(): Graph {
  const b = new GraphBuilder('affine')
  const y = ops.add(ops.matmul(b.input('x', 'float32', ['batch', 2]), b.constant([1, 2, 3, 4], [2, 2])), 1)
  b.output('y', ops.mul(y, y))
  return b.build()
}
const rows = tensor([1, 0, 0, 1], [2, 2])

describe('options', () => {
  it.each<[string, unknown]>([
    ['null', null],
    ['a list', []],
    ['an unknown option', { adapter: 'discrete' }],
    ['a device that is none', { device: {} }],
    ['a preference that is none', { powerPreference: 'fast' }],
    ['a choice that is none', { smallPrograms: 'wasm' }],
  ])('refuse %s', async (_, options) => {
    const made = webgpuBackend(options as WebgpuBackendOptions)
    await expect(made).rejects.toMatchObject({ code: 'FEP_BAD_ARGUMENT' })
  })
  it('refuse a preference beside a device', async () => {
    const device = { createBuffer: () => undefined, queue: {}, lost: Promise.resolve() }
    const made = webgpuBackend({ device, powerPreference: 'low-power' } as never)
    await expect(made).rejects.toMatchObject({ code: 'FEP_BAD_ARGUMENT' })
  })
})

it('pipelineStats refuses other backends', async () => {
  const other = await referenceBackend()
  expect(() => pipelineStats(other)).toThrow(expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }))
})

if (reasonAgainst) standIn(reasonAgainst)
else
  describe('a backend', () => {
    it('says what it runs on', async () => {
      const backend = await webgpuBackend({ powerPreference: 'high-performance' })
      const { device, adapter, sync, hostTensors } = backend.capabilities
      expect({ name: backend.name, sync, hostTensors }).toEqual({
        name: 'webgpu',
        sync: false,
        hostTensors: false,
      })
      expect(device).toBe(/swiftshader/i.test(adapter ?? '') ? 'software-gpu' : device)
      expect(adapter).toEqual(expect.any(String))
      await backend.dispose()
    })
    it('sends small programs elsewhere, unless it is told not to', async () => {
      for (const [smallPrograms, made] of [
        ['javascript', false],
        ['native', true],
      ] as const) {
        const backend = await createBackend({ smallPrograms })
        const program = await backend.compile(affine())
        const { y } = await program.run({ x: rows })
        expect([...((await y?.read()) ?? [])]).toEqual([4, 9, 16, 25])
        expect(y instanceof WebgpuTensor).toBe(made)
        await backend.dispose()
      }
    })
    it('compiles nothing twice, and shows what it compiled', async () => {
      const backend = await webgpuBackend({ smallPrograms: 'native' })
      const fixed = new GraphBuilder('fixed')
      fixed.output('y', ops.exp(fixed.input('x', 'float32', [2, 2])))
      const graph = fixed.build()
      const program = await backend.compile(graph)
      const { created } = pipelineStats(backend)
      await backend.compile(graph)
      expect(pipelineStats(backend)).toMatchObject({ created, hits: created, hitRate: 0.5 })
      expect(program.artifact?.format).toBe('wgsl')
      expect(program.artifact?.data).toContain('@compute')
      await backend.dispose()
    })
    it('adopts a device and leaves it alive', async () => {
      const { gpu } = await openDevice(undefined)
      const backend = await webgpuBackend({ device: gpu, smallPrograms: 'native' })
      const program = await backend.compile(affine())
      const { y } = await program.run({ x: rows })
      await y?.read()
      await backend.dispose()
      const lost = await Promise.race([
        gpu.lost.then(() => true),
        new Promise((r) => setTimeout(r, 20, false)),
      ])
      expect(lost).toBe(false)
      gpu.destroy()
      await gpu.lost
      await expect(webgpuBackend({ device: gpu })).rejects.toMatchObject({ code: 'FEP_DEVICE_LOST' })
    })
    it('lets runs that are under way finish when it is disposed', async () => {
      const backend = await webgpuBackend({ smallPrograms: 'native' })
      const program = await backend.compile(affine())
      const out = Array.from({ length: 3 }, () => ({ y: tensor(new Float32Array(4), [2, 2]) }))
      const runs = out.map((target) => program.runInto({ x: rows }, target))
      const kept = program.run({ x: rows })
      await backend.dispose()
      await Promise.all(runs)
      for (const { y } of out) expect([...y.data]).toEqual([4, 9, 16, 25])
      await expect((await kept).y?.read()).rejects.toMatchObject({ code: 'FEP_DISPOSED' })
      await expect(backend.compile(affine())).rejects.toMatchObject({ code: 'FEP_DISPOSED' })
    })
    it('routes on after a loss, from parameters on the host', async () => {
      const backend = await webgpuBackend({ smallPrograms: 'native' })
      const gate = createGate({ dim: 2, experts: 3 })
      const params = gate.init({ seed: 1 })
      const x = tensor([1, 2, 3, 4], [1, 2, 2])
      const before = await gate.route(backend, params, x)
      const { gpu } = lifetimeOf(backend).latest
      gpu.destroy()
      await gpu.lost
      const after = await gate.route(backend, params, x)
      expect([...after.weights.data]).toEqual([...before.weights.data])
      await backend.dispose()
    })
    it('takes feeds in shared memory', async () => {
      const backend = await webgpuBackend({ smallPrograms: 'native' })
      const program = await backend.compile(affine())
      const shared = new Float32Array(new SharedArrayBuffer(16))
      shared.set(rows.data)
      const { y } = await program.run({ x: { dtype: 'float32', shape: [2, 2], data: shared } })
      expect([...((await y?.read()) ?? [])]).toEqual([4, 9, 16, 25])
      await backend.dispose()
    })
    it('reports errors of its own class', async () => {
      const backend = await webgpuBackend()
      await backend.dispose()
      await expect(backend.compile(affine())).rejects.toBeInstanceOf(FepError)
    })
  })
