import { type Backend, type DeviceTensor, GraphBuilder, ops, tensor, toHost, zeros } from '@fep-moe/core'
import * as web from 'onnxruntime-web'
import { describe, expect, it } from 'vitest'
import * as browser from '../src/browser.js'
import * as node from '../src/index.js'
import { loadRuntime, preferredRuntime } from '../src/runtime/load.js'
import { configureWeb, startWeb } from '../src/runtime/web.js'

/** y = 2 x */
function doubled() {
  const b = new GraphBuilder('doubled')
  b.output('y', ops.mul(b.input('x', 'float32', ['batch']), 2))
  return b.build()
}

async function run(backend: Backend): Promise<number[]> {
  const program = await backend.compile(doubled())
  const { y } = await program.run({ x: tensor([1, 2]) })
  const values = [...(await toHost(y as DeviceTensor)).data]
  const out = { y: zeros([2]) }
  await program.runInto({ x: y as DeviceTensor }, out)
  await backend.dispose()
  return [...values, ...out.y.data]
}

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: { code?: string }) => error.code,
  )

describe('the runtime', () => {
  it.each([
    ['node', { runtime: 'node' }],
    ['web', { runtime: 'web' }],
    ['a module', { runtime: web }],
  ] as const)('is %s', async (_name, options) => {
    expect(await run(await node.onnxBackend({ ...options, smallPrograms: 'native' }))).toEqual([2, 4, 4, 8])
  })
  it('is the native one in Node, the other one where the entry has no other', () => {
    expect(preferredRuntime({ node: async () => ({}), web: async () => ({}) })).toBe('node')
    expect(preferredRuntime({ web: async () => ({}) })).toBe('web')
  })
  it.each([
    { runtime: 'wasm' },
    { runtime: {} },
    { runtime: null },
    { wasmPaths: 'folder' },
    { wasmPaths: {} },
  ])('is not %j', async (options) => {
    expect(await refusal(node.onnxBackend(options as never))).toBe('FEP_BAD_ARGUMENT')
  })
  it('has WebAssembly files on web only', async () => {
    expect(await refusal(node.onnxBackend({ runtime: 'node', wasmPaths: '/wasm/' }))).toBe('FEP_BAD_ARGUMENT')
  })
  it('must be a module of ONNX Runtime', async () => {
    expect(await refusal(loadRuntime('web', { web: async () => ({}) }))).toBe('FEP_BACKEND_MISSING')
    expect(await refusal(loadRuntime('web', { web: () => Promise.reject(new Error('404')) }))).toBe(
      'FEP_BACKEND_MISSING',
    )
  })
})

describe('the WebAssembly build', () => {
  const { InferenceSession, Tensor } = web
  const build = () => ({ InferenceSession, Tensor, env: { versions: { web: '1' }, wasm: {} } }) as never

  it('takes its settings before its first session', () => {
    const runtime = build() as { env: { wasm: object } }
    configureWeb(runtime as never, { threads: 1, wasmPaths: { wasm: '/ort.wasm' } })
    expect(runtime.env.wasm).toEqual({ numThreads: 1, wasmPaths: { wasm: '/ort.wasm' } })
  })
  it('has one thread where a page is not cross-origin isolated', () => {
    const globals = globalThis as { crossOriginIsolated?: boolean }
    globals.crossOriginIsolated = false
    try {
      expect(() => configureWeb(build(), { threads: 2 })).toThrow(
        expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }),
      )
    } finally {
      delete globals.crossOriginIsolated
    }
  })
  it('says where it did not start', async () => {
    const cause = new Error('no available backend found')
    const broken = { InferenceSession: { create: () => Promise.reject(cause) }, Tensor }
    await expect(startWeb(broken)).rejects.toMatchObject({ code: 'FEP_BACKEND_MISSING', cause })
  })
})

describe('the entry for pages', () => {
  it('has the names of the default one', () => {
    expect(Object.keys(browser).sort()).toEqual(Object.keys(node).sort())
  })
  it('runs on onnxruntime-web', async () => {
    expect(await run(await browser.onnxBackend({ smallPrograms: 'native' }))).toEqual([2, 4, 4, 8])
    expect(await run(await browser.createBackend())).toEqual([2, 4, 4, 8])
  })
  it('has no native runtime and no profiler', async () => {
    expect(await refusal(browser.onnxBackend({ runtime: 'node' }))).toBe('FEP_BACKEND_MISSING')
    expect(await refusal(browser.profile())).toBe('FEP_UNSUPPORTED')
  })
})
