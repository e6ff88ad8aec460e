import {
  bindInputs,
  createGate,
  type Graph,
  ops,
  referenceBackend,
  type Tensor,
  type Value,
} from '@fep-moe/core'
import { wholeView } from '@fep-moe/core/lowering'
import { jsBackend, toJavaScript } from '@fep-moe/js'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { loadKernel, matvecOn } from '../src/matvec/kernel.js'
import { packPanels, panelsLength } from '../src/matvec/panels.js'
import { openSpace, sharedMemory } from '../src/matvec/space.js'
import { compileProgram } from '../src/program.js'
import { feedsOf, graphOf, lowered, wave } from './graphs.js'

/** Takes all shared memory, so that programs get memory of their own and the kernel in JavaScript. */
function withoutRoom<T>(body: () => T): T {
  const spaces = [openSpace(sharedMemory().size)]
  while (spaces.at(-1)?.shared) spaces.push(openSpace(64))
  // What is free may be in pieces.
  for (let bytes = sharedMemory().size; bytes >= 64; bytes /= 2)
    for (let space = openSpace(bytes); space.shared; space = openSpace(bytes)) spaces.push(space)
  try {
    return body()
  } finally {
    for (const space of spaces) space.release()
  }
}

type Bits = Readonly<Record<string, readonly number[]>>
type Read = Readonly<Record<string, { readSync?(): Tensor['data'] }>>

const bits = (fetched: Read): Bits =>
  Object.fromEntries(
    Object.entries(fetched).map(([name, t]) => {
      const data = t.readSync?.() as Tensor['data']
      return [name, [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]]
    }),
  )

function bitsOf(graph: Graph): Bits {
  const program = compileProgram(lowered(graph))
  const fetched = program.run(feedsOf(graph)) as Read
  program.dispose()
  return bits(fetched)
}

async function referenceBits(graph: Graph): Promise<Bits> {
  const program = await (await referenceBackend()).compile(graph)
  return bits(await program.run(feedsOf(graph)))
}

async function expectBothWays(graph: Graph): Promise<void> {
  expect(toJavaScript(graph)).toContain('matvec(')
  const want = await referenceBits(graph)
  expect(bitsOf(graph)).toEqual(want)
  expect(withoutRoom(() => bitsOf(graph))).toEqual(want)
}

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('the kernels', () => {
  const kernel = loadKernel()
  const sizes = fc.tuple(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 40 }))
  const floats = fc.oneof(
    { weight: 9, arbitrary: fc.float({ noNaN: true }) },
    { weight: 1, arbitrary: fc.constant(Number.NaN) },
  )

  it('WebAssembly runs here', () => {
    expect(kernel).toBeDefined()
  })

  it('multiply in the order of a plain loop, bit for bit, and write no further than their panels', () => {
    const own = new ArrayBuffer(64 * 1024)
    const ways = [
      { memory: kernel?.memory.buffer as ArrayBuffer, matvec: kernel?.matvec as ReturnType<typeof matvecOn> },
      { memory: own, matvec: matvecOn(own) },
    ]
    const cases = sizes.chain(([m, k]) =>
      fc.record({
        m: fc.constant(m),
        k: fc.constant(k),
        w: fc.array(floats, { minLength: m * k, maxLength: m * k }),
        x: fc.array(floats, { minLength: k, maxLength: k }),
      }),
    )
    fc.assert(
      fc.property(cases, ({ m, k, w, x }) => {
        const want = new Float32Array(m)
        for (let i = 0; i < m; i++) {
          let total = 0
          for (let p = 0; p < k; p++) total += (w[i * k + p] as number) * (x[p] as number)
          want[i] = total
        }
        const buffer = { name: 'c0', kind: 'constant', dtype: 'float32', length: m * k } as const
        for (const { memory, matvec } of ways) {
          const [at, out, to] = [64, 1024, 4096]
          new Float32Array(memory, at, k).set(x)
          const result = new Float32Array(memory, out, 96).fill(7)
          packPanels(wholeView(buffer, [m, k]), w, new Float64Array(memory, to, panelsLength(m, k)))
          matvec(at, to, out, k, m)
          expect([...result.subarray(0, m)]).toEqual([...want])
          expect([...result.subarray(Math.ceil(m / 8) * 8)].every((v) => v === 7)).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('programs: the reference, bit for bit, by WebAssembly and without', () => {
  const constant = (v: Value, shape: readonly number[]) => v.builder.constant([...wave(shape, 3).data], shape)

  it('any shape, as a column and as a row, from memory and from a feed', async () => {
    const sizes = fc.tuple(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 8, max: 40 }))
    await fc.assert(
      fc.asyncProperty(sizes, async ([m, k]) => {
        await expectBothWays(
          graphOf({ x: [k, 1], y: [1, k] }, ({ x, y }) => ({
            column: ops.matmul(constant(x as Value, [m, k]), ops.exp(x as Value)),
            fed: ops.matmul(constant(x as Value, [1, m, k]), x as Value),
            row: ops.matmul(ops.exp(y as Value), constant(x as Value, [k, m])),
            turned: ops.matmul(ops.swapLast(constant(x as Value, [k, m])), x as Value),
          })),
        )
      }),
      { numRuns: 15 },
    )
  })

  it('a reshaped part of a matrix, and a vector with gaps', async () => {
    await expectBothWays(
      graphOf({ x: [9, 2] }, ({ x }) => {
        const part = ops.slice(constant(x as Value, [12, 9]), 0, 2, 9)
        const column = ops.slice(ops.exp(x as Value), 1, 1, 2)
        return {
          y: ops.matmul(part, column),
          z: ops.matmul(ops.reshape(part, [9, 7]), ops.slice(column, 0, 1, 8)),
        }
      }),
    )
  })

  it('in every step of a scan, whose slices are no constants', async () => {
    const body = graphOf({ h: [12, 1], x: [12, 1] }, ({ h, x }) => {
      const next = ops.tanh(ops.add(ops.matmul(constant(h as Value, [12, 12]), h as Value), x as Value))
      return { h: next, y: ops.matmul(constant(h as Value, [5, 12]), x as Value) }
    })
    await expectBothWays(
      graphOf({ h: [12, 1], xs: [4, 12, 1] }, ({ h, xs }) => {
        const { last, ys } = ops.scan(body, { init: [h as Value], xs: [xs as Value] }, { axis: 0 })
        return { last: last[0] as Value, ys: ys[0] as Value }
      }),
    )
  })

  it('a stream of a gate', async () => {
    const gate = createGate({
      dim: 12,
      experts: 5,
      memory: { kind: 'leaky' },
      anticipation: { kind: 'direct' },
      select: { kind: 'top-k', k: 2 },
    })
    const params = gate.init({ seed: 2 })
    const steps = async (backend: Awaited<ReturnType<typeof jsBackend>>) => {
      const stream = await gate.stream(backend, params)
      const taken = []
      for (let t = 0; t < 5; t++) taken.push(await stream.step(wave([1, 12], t)))
      stream.dispose()
      await backend.dispose()
      return taken
    }
    const want = await steps(await referenceBackend())
    expect(await steps(await jsBackend())).toEqual(want)
  })
})

describe('memory of programs', () => {
  const gate = createGate({ dim: 4, experts: 8, memory: { kind: 'leaky' } })
  const graph = lowered(bindInputs(gate.graph({ steps: 1, state: true }), gate.init({ seed: 1 })))

  it('is given back: 10,000 programs leave nothing behind', () => {
    const before = sharedMemory().used
    const program = compileProgram(graph)
    expect(sharedMemory().used).toBeGreaterThan(before)
    program.dispose()
    let peak = 0
    for (let i = 0; i < 10_000; i++) {
      const one = compileProgram(graph)
      peak = Math.max(peak, sharedMemory().used)
      one.dispose()
      one.dispose()
    }
    expect(sharedMemory().used).toBe(before)
    expect(peak - before).toBeLessThan(8192)
  }, 120_000)

  it('is given back where the code cannot be made', () => {
    const before = sharedMemory().used
    vi.stubGlobal(
      'Function',
      class {
        constructor() {
          throw new EvalError('forbidden')
        }
      },
    )
    expect(() => compileProgram(graph)).toThrow(expect.objectContaining({ code: 'FEP_BACKEND_FAILED' }))
    expect(sharedMemory().used).toBe(before)
  })

  it('is two programs’ own: neither disturbs the other', () => {
    const feeds = { x: wave([1, 1, 4]), 'state/memory': wave([1, 4], 5) }
    const read = (program: ReturnType<typeof compileProgram>) =>
      Object.values(program.run(feeds) as Record<string, { readSync?(): Tensor['data'] }>).map((t) => [
        ...(t.readSync?.() ?? []),
      ])
    const [one, two] = [compileProgram(graph), compileProgram(graph)]
    const want = read(one)
    expect(read(two)).toEqual(want)
    expect(read(one)).toEqual(want)
    one.dispose()
    const three = compileProgram(graph)
    expect(read(two)).toEqual(want)
    expect(read(three)).toEqual(want)
    two.dispose()
    three.dispose()
  })

  it('has a limit per program: beyond it, products are loops of their own', () => {
    const wide = graphOf({ x: [1024, 1] }, ({ x }) => {
      const data = Array.from({ length: 300 * 1024 }, (_, i) => i % 7)
      return { y: ops.matmul((x as Value).builder.constant(data, [300, 1024]), x as Value) }
    })
    expect(toJavaScript(wide)).not.toContain('matvec')
  })
})

describe('without WebAssembly', () => {
  it('programs get memory of their own', async () => {
    vi.stubGlobal('WebAssembly', undefined)
    vi.resetModules()
    const fresh = await import('../src/matvec/space.js')
    const space = fresh.openSpace(100)
    expect(space).toMatchObject({ base: 0, shared: false })
    expect(space.memory.byteLength).toBeGreaterThanOrEqual(100)
    expect(fresh.sharedMemory()).toEqual({ used: 0, size: 0 })
    space.release()
  })
})
