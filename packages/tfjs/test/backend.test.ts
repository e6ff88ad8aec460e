import { type Backend, type DeviceTensor, tensor, toHost, zeros } from '@fep-moe/core'
import { createBackend, type TfjsTensor, tfjsBackend, tfjsBackends } from '@fep-moe/tfjs'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { counter, mixture, outOfRange } from './graphs.js'
import { lanes } from './lanes.js'

const opened: Backend[] = []
const open = async (backend?: (typeof lanes)[number]) => {
  const made = await tfjsBackend({ ...(backend ? { backend } : {}), smallPrograms: 'native' })
  opened.push(made)
  return made
}
afterEach(async () => {
  for (const backend of opened.splice(0)) await backend.dispose()
})

const feeds = (n = 1) => ({ s: tensor([n, n]), x: tensor([1, 2]) })

describe('choosing', () => {
  it('takes the best one there is', async () => {
    expect((await open()).name).toBe(`tfjs-${lanes[0]}`)
  })
  it('is made from a specifier', async () => {
    const made = await createBackend({ backend: 'cpu' })
    expect([made.name, made.capabilities.sync]).toEqual(['tfjs-cpu', true])
    await made.dispose()
  })
  it('says what runs here, and why the rest does not', async () => {
    const found = await tfjsBackends()
    expect(found.map((b) => b.name)).toEqual(['node', 'wasm', 'cpu', 'webgl', 'webgpu'])
    for (const { available, reason } of found) expect(reason === undefined).toBe(available)
    expect(found.find((b) => b.name === 'wasm')?.available).toBe(true)
  })
  it.each(['webgl', 'webgpu'] as const)('refuses %s outside a browser', async (backend) => {
    await expect(tfjsBackend({ backend })).rejects.toMatchObject({
      code: 'FEP_BACKEND_MISSING',
      cause: expect.any(Error),
    })
  })
  it.each([
    { backend: 'tensorflow' },
    { backend: 'gpu' },
    { threads: 1 },
    { wasmPaths: '/wasm' },
    { wasmPaths: {} },
    { wasmPaths: { 'tfjs-backend-wasm.wasm': 1 } },
    null,
    [],
  ])('refuses %j', async (options) => {
    await expect(createBackend(options as never)).rejects.toMatchObject({ code: 'FEP_BAD_ARGUMENT' })
  })
})

describe.each(lanes)('%s', (name) => {
  it('prints nothing', async () => {
    const spies = (['log', 'info', 'warn', 'error'] as const).map((m) => vi.spyOn(console, m))
    const program = await (await open(name)).compile(mixture())
    program.dispose()
    for (const spy of spies) {
      expect(spy).not.toHaveBeenCalled()
      spy.mockRestore()
    }
  })
  it('returns tf.Tensors that tfjs can go on with', async () => {
    const program = await (await open(name)).compile(counter())
    const { s, y } = await program.run(feeds())
    const { tensor: own } = s as TfjsTensor
    expect(own).toBeInstanceOf(tf.Tensor)
    const more = tf.add(own, 1)
    expect([...(await more.data())]).toEqual([3, 4])
    more.dispose()
    expect([...(s?.readSync?.() ?? [])]).toEqual([2, 3])
    for (const t of [s, y]) t?.dispose()
    await expect(s?.read()).rejects.toMatchObject({ code: 'FEP_DISPOSED' })
    await expect(program.run({ ...feeds(), s: s as DeviceTensor })).rejects.toMatchObject({
      code: 'FEP_DISPOSED',
    })
  })
  it('runs synchronously into host memory, inside tf.tidy, too', async () => {
    const program = await (await open(name)).compile(counter())
    await program.runInto(feeds(), { y: zeros([2]) })
    const before = tf.engine().state.numTensors
    const out = { s: zeros([2]), y: zeros([2]) }
    expect(tf.tidy(() => program.runInto(feeds(), out) as undefined)).toBeUndefined()
    expect([...out.s.data, ...out.y.data]).toEqual([2, 3, 4, 6])
    expect(tf.engine().state.numTensors).toBe(before)
  })
  it('leaves the active backend and the scopes as they are', async () => {
    const backend = await open(name)
    const program = await backend.compile(mixture())
    const other = name === 'cpu' ? 'wasm' : 'cpu'
    await open(other)
    await tf.setBackend(other)
    const scope = tf.engine().state.activeScope
    const x = tensor(
      Float32Array.from({ length: 24 }, (_, i) => i),
      [2, 4, 3],
    )
    const results = await program.run({ x, w: zeros([3, 5]) })
    expect([tf.getBackend(), tf.engine().state.activeScope]).toEqual([other, scope])
    const bad = await backend.compile(outOfRange())
    await expect(bad.run(indices(0, 7, 0))).rejects.toMatchObject({ code: 'FEP_BACKEND_FAILED' })
    expect([tf.getBackend(), tf.engine().state.activeScope]).toEqual([other, scope])
    for (const t of Object.values(results)) t.dispose()
  })
  it('takes results of other executors', async () => {
    const program = await (await open(name)).compile(counter())
    const other = await (await open(name === 'cpu' ? 'wasm' : 'cpu')).compile(counter())
    const first = await other.run(feeds())
    const far: DeviceTensor = {
      dtype: 'float32',
      shape: [2],
      read: async () => Float32Array.of(10, 20),
      dispose: () => undefined,
    }
    const { y } = await program.run({ s: first.s as DeviceTensor, x: far })
    expect([...(await toHost(y as DeviceTensor)).data]).toEqual([24, 46])
    for (const t of [...Object.values(first), y]) t?.dispose()
  })
  it('keeps its literals when a caller writes to what it read', async () => {
    const program = await (await open(name)).compile(mixture())
    const given = { x: zeros([1, 4, 3]), w: tensor(new Float32Array(15).fill(1), [3, 5]) }
    for (let i = 0; i < 2; i++) {
      const results = await program.run(given)
      const [literal, same] = [results.literal?.readSync?.(), results.same?.readSync?.()]
      expect([...(literal ?? []), same?.[0]]).toEqual([1, 2, 3, 1])
      literal?.fill(9)
      same?.fill(9)
      for (const t of Object.values(results)) t.dispose()
    }
    expect(given.w.data[0]).toBe(1)
  })
  it('fails with the reason, and runs again', async () => {
    const program = await (await open(name)).compile(outOfRange())
    await expect(program.run(indices(0, 7, 0))).rejects.toMatchObject({
      code: 'FEP_BACKEND_FAILED',
      cause: expect.any(RangeError),
    })
    const { y } = await program.run(indices(0, -1, 1))
    expect([...(y?.readSync?.() ?? [])].map(Math.round)).toEqual([1, 4, 6])
    y?.dispose()
  })
})

const indices = (...i: number[]) => ({ x: tensor([1, 2, 3]), i: tensor(Int32Array.from(i), [3, 1]) })
