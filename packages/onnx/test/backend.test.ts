import {
  type Backend,
  type DeviceTensor,
  type Graph,
  GraphBuilder,
  ops,
  type Program,
  tensor,
  toHost,
  zeros,
} from '@fep-moe/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createBackend, onnxBackend, profile } from '../src/index.js'
import { loadRuntime } from '../src/runtime/load.js'

let backend: Backend
beforeEach(async () => {
  backend = await onnxBackend({ smallPrograms: 'native' })
})
afterEach(() => backend.dispose())

/** s' = s + x, y = 2 s' */
function counter(): Graph {
  const b = new GraphBuilder('counter')
  const s = ops.add(b.input('s', 'float32', ['batch']), b.input('x', 'float32', ['batch']))
  b.output('s', s)
  b.output('y', ops.mul(s, 2))
  return b.build()
}

const read = async (program: Program, feeds: Parameters<Program['run']>[0], name: string) => [
  ...(await toHost((await program.run(feeds))[name] as DeviceTensor)).data,
]

describe('a program', () => {
  it('takes what it returned', async () => {
    const program = await backend.compile(counter())
    const x = tensor([1, 2])
    let { s } = await program.run({ s: zeros([2]), x })
    for (let i = 0; i < 3; i++) ({ s } = await program.run({ s: s as DeviceTensor, x }))
    expect(s?.readSync?.()).toEqual(Float32Array.of(4, 8))
    expect(await s?.read()).toBe(s?.readSync?.())
  })
  it('serves every batch size, the empty one included', async () => {
    const program = await backend.compile(counter())
    for (const n of [3, 1, 0, 5])
      expect(await read(program, { s: zeros([n]), x: zeros([n]) }, 'y')).toEqual(new Array(n).fill(0))
  })
  it('wraps host memory without copying it', async () => {
    const program = await backend.compile(counter())
    const x = tensor([1])
    const first = await read(program, { s: zeros([1]), x }, 'y')
    x.data[0] = 5
    expect([first, await read(program, { s: zeros([1]), x }, 'y')]).toEqual([[2], [10]])
  })
  it('takes views into larger buffers', async () => {
    const program = await backend.compile(counter())
    const memory = Float32Array.of(9, 1, 2, 9)
    expect(await read(program, { s: tensor(memory.subarray(1, 3)), x: zeros([2]) }, 'y')).toEqual([2, 4])
  })
  it('writes into preallocated results, all or some', async () => {
    const program = await backend.compile(counter())
    const out = { s: zeros([2]), y: zeros([2]) }
    await program.runInto({ s: tensor([1, 2]), x: tensor([3, 4]) }, out)
    expect([...out.s.data, ...out.y.data]).toEqual([4, 6, 8, 12])
    await program.runInto({ s: tensor([0, 0]), x: tensor([1, 1]) }, { y: out.y })
    expect([...out.s.data, ...out.y.data]).toEqual([4, 6, 2, 2])
  })
  it('may write its results over its feeds', async () => {
    const b = new GraphBuilder('rotate')
    const [p, q] = [b.input('p', 'float32', [4096]), b.input('q', 'float32', [4096])]
    b.output('p', ops.add(ops.mul(p, 0), q))
    b.output('q', ops.add(p, ops.mul(q, 0)))
    const program = await backend.compile(b.build())
    const held = { p: tensor(new Float32Array(4096).fill(1)), q: tensor(new Float32Array(4096).fill(2)) }
    for (let i = 0; i < 3; i++) await program.runInto(held, held)
    expect([held.p.data[17], held.q.data[4000]]).toEqual([2, 1])
  })
  it('shows its model', async () => {
    const { artifact } = await backend.compile(counter())
    expect([artifact?.format, artifact?.data instanceof Uint8Array]).toEqual(['onnx', true])
  })
  it('runs beside another one', async () => {
    const [one, two] = [await backend.compile(counter()), await backend.compile(counter())]
    const feeds = (n: number) => ({ s: tensor([n]), x: tensor([n]) })
    const runs = Array.from({ length: 20 }, (_, i) => read(i % 2 === 0 ? one : two, feeds(i), 'y'))
    expect(await Promise.all(runs)).toEqual(Array.from({ length: 20 }, (_, i) => [4 * i]))
    one.dispose()
    expect(await read(two, feeds(3), 'y')).toEqual([12])
  })
  it('is gone after dispose', async () => {
    const program = await backend.compile(counter())
    program.dispose()
    program.dispose()
    await expect(program.run({ s: zeros([1]), x: zeros([1]) })).rejects.toMatchObject({
      code: 'FEP_DISPOSED',
    })
  })
  it('fails with the runtime’s reason', async () => {
    const b = new GraphBuilder('out-of-range')
    b.output('y', ops.gather(b.input('x', 'float32', [3]), b.input('i', 'int32', [1])))
    const program = await backend.compile(b.build())
    await expect(program.run({ x: zeros([3]), i: tensor(Int32Array.of(7)) })).rejects.toMatchObject({
      code: 'FEP_BACKEND_FAILED',
    })
    expect(await read(program, { x: tensor([1, 2, 3]), i: tensor(Int32Array.of(2)) }, 'y')).toEqual([3])
  })
  it('does not grow over thousands of runs', async () => {
    const program = await backend.compile(counter())
    let s: Parameters<Program['run']>[0][string] = zeros([4096])
    const x = zeros([4096])
    const turn = async (runs: number) => {
      for (let i = 0; i < runs; i++) s = (await program.run({ s, x })).s as DeviceTensor
      return process.memoryUsage().rss
    }
    await turn(2000)
    const before = await turn(1000)
    expect((await turn(5000)) - before).toBeLessThan(64 * 2 ** 20)
  })
})

describe('the backend', () => {
  it('is made from a specifier', async () => {
    const made = await createBackend({ threads: 2 })
    expect([made.name, made.capabilities.symbolicBatch]).toEqual(['onnx', true])
    expect(await read(await made.compile(counter()), { s: tensor([1]), x: tensor([1]) }, 'y')).toEqual([4])
    await made.dispose()
  })
  it.each([
    { threads: 0 },
    { threads: 1.5 },
    { threads: 257 },
    { threads: '2' },
    { batchHint: 0 },
    { thread: 1 },
    null,
    [],
  ])('refuses %j', async (options) => {
    await expect(createBackend(options as never)).rejects.toMatchObject({ code: 'FEP_BAD_ARGUMENT' })
  })
  it('adds up repeated indices on several threads', async () => {
    const rows = 20000
    const b = new GraphBuilder('scatter')
    const updates = b.input('u', 'float32', ['batch', 64])
    const indices = b.input('i', 'int32', ['batch', 1])
    b.output('y', ops.scatterAdd(b.constant(new Array(5 * 64).fill(0), [5, 64]), indices, updates))
    const parallel = await onnxBackend({ threads: 4, smallPrograms: 'native' })
    const program = await parallel.compile(b.build())
    const feeds = {
      u: tensor(new Float32Array(rows * 64).fill(1), [rows, 64]),
      i: tensor(
        Int32Array.from({ length: rows }, (_, k) => k % 5),
        [rows, 1],
      ),
    }
    for (let run = 0; run < 10; run++)
      expect(new Set(await read(program, feeds, 'y'))).toEqual(new Set([rows / 5]))
    await parallel.dispose()
  })
})

describe('a runtime that is missing', () => {
  const notFound = Object.assign(
    new Error("Cannot find package 'onnxruntime-node' imported from /app/load.js"),
    { code: 'ERR_MODULE_NOT_FOUND' },
  )
  const noBinary = new Error(
    "Cannot find module '../bin/napi-v6/sunos/x64/onnxruntime_binding.node'\nRequire stack: …",
  )
  it.each([
    [notFound, 'is not installed'],
    [noBinary, 'does not load on'],
  ])('is an error with the install line', async (cause, reason) => {
    const loading = loadRuntime('node', { node: () => Promise.reject(cause) })
    await expect(loading).rejects.toMatchObject({ code: 'FEP_BACKEND_MISSING', cause })
    await expect(loading).rejects.toThrow(reason)
    await expect(loading).rejects.toThrow('ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node')
  })
})

describe('profile', () => {
  it('gives time per node', async () => {
    const feeds = { s: zeros([64]), x: zeros([64]) }
    const program = await backend.compile(counter())
    for (const target of [counter(), program]) {
      const { runUs, nodes } = await profile(target, feeds, { runs: 5 })
      expect(runUs).toBeGreaterThan(0)
      expect(nodes.map(({ op, calls }) => [op, calls]).sort()).toEqual([
        ['Add', 1],
        ['Mul', 1],
      ])
    }
  })
  it('refuses no runs', async () => {
    await expect(profile(counter(), {}, { runs: 0 })).rejects.toMatchObject({ code: 'FEP_BAD_ARGUMENT' })
  })
})
