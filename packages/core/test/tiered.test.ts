import { describe, expect, it } from 'vitest'
import {
  adam,
  createGate,
  type DeviceTensor,
  GraphBuilder,
  graphCost,
  ops,
  referenceBackend,
  type Tensor,
  tensor,
  tieredBackend,
} from '../src/index.js'
import { deviceBackend } from './device-backend.js'
import { codeOf, wave32 } from './helpers.js'

/** y = x + x for x (batch, 2): two operations a row. */
function doubling() {
  const builder = new GraphBuilder('doubling')
  const x = builder.input('x', 'float32', ['batch', 2])
  builder.output('y', ops.add(x, x))
  return builder.build()
}

const rows = (n: number): Tensor => tensor(new Float32Array(2 * n).fill(1), [n, 2])

const read = async (t: DeviceTensor | undefined) => (await (t as DeviceTensor).read()) as Float32Array

async function tiers(below: number) {
  const device = deviceBackend()
  const backend = tieredBackend({ small: await referenceBackend(), large: device.backend, below })
  return { device, backend }
}

describe('tieredBackend', () => {
  it('decides by the batch of each run where the size is symbolic', async () => {
    const graph = doubling()
    expect(graphCost(graph, 3).total.flops).toBe(6)
    const { device, backend } = await tiers(7) // up to three rows are small
    const program = await backend.compile(graph)
    for (const [batch, onDevice] of [
      [1, 0],
      [3, 0],
      [4, 1],
      [9, 1],
    ] as const) {
      const { y } = await program.run({ x: rows(batch) })
      expect(device.alive()).toBe(onDevice)
      expect([...(await read(y))]).toEqual(new Array(2 * batch).fill(2))
      y?.dispose()
    }
    const out = { y: rows(4) }
    await program.runInto({ x: rows(4) }, out)
    expect(out.y.data[7]).toBe(2)
    expect(await codeOf(() => program.run({ x: tensor([1, 2, 3]) }))).toBe('FEP_BAD_FEED')
    expect(await codeOf(() => program.run({}))).toBe('FEP_BAD_FEED')
    program.dispose()
    expect(await codeOf(() => program.run({ x: rows(1) }))).toBe('FEP_DISPOSED')
    await backend.dispose()
  })

  it('compiles once where no batch is small, or every batch is', async () => {
    const large = await tiers(0)
    await large.backend.compile(doubling())
    expect(large.device.compiled.length).toBe(1)
    const small = await tiers(1e9)
    const builder = new GraphBuilder('fixed')
    builder.output('y', ops.neg(builder.input('x', 'float32', [3])))
    const program = await small.backend.compile(builder.build())
    expect(small.device.compiled.length).toBe(0)
    expect(program.sync).toBe(true)
    expect(small.backend.capabilities.sync).toBe(false)
    expect(small.backend.name).toBe('device')
  })

  it('takes results of one executor on the other', async () => {
    const { device, backend } = await tiers(7)
    const program = await backend.compile(doubling())
    const { y } = await program.run({ x: rows(4) })
    expect(device.alive()).toBe(1)
    const three = { ...y, shape: [4, 2] } as never
    const other = await tiers(9)
    const bridged = await other.backend.compile(doubling()) // four rows are small here
    const { y: again } = await bridged.run({ x: three })
    expect([...(await read(again))]).toEqual(new Array(8).fill(4))
    const out = { y: rows(4) }
    await bridged.runInto({ x: three }, out)
    expect([...out.y.data]).toEqual(new Array(8).fill(4))
  })

  it('gives what the small executor cannot compile to the large one', async () => {
    const { device, backend } = await tiers(1e9)
    const refusing = tieredBackend({
      small: { ...(await referenceBackend()), compile: () => Promise.reject(new Error('no code here')) },
      large: device.backend,
      below: 1e9,
    })
    await refusing.compile(doubling())
    expect(device.compiled.length).toBe(1)
    expect(await codeOf(() => tieredBackend({ small: backend, large: backend, below: Number.NaN }))).toBe(
      'FEP_BAD_ARGUMENT',
    )
  })
})

describe('device memory', () => {
  const gate = createGate({
    dim: 4,
    experts: 3,
    memory: { kind: 'leaky' },
    anticipation: { kind: 'additive' },
  })

  it('is flat over training steps, and a result is readable until the next step', async () => {
    const { backend, alive } = deviceBackend()
    const trainer = await gate.trainer(backend, gate.init({ seed: 1 }), { optimizer: adam({ lr: 0.01 }) })
    const batch = { x: wave32([2, 3, 4]), targets: tensor(new Int32Array(6), [2, 3]) }
    const first = await trainer.step(batch)
    const held = alive()
    const reading = first.loss()
    const second = await trainer.step(batch)
    expect(await reading).toBeGreaterThan(0)
    expect(await codeOf(() => first.loss())).toBe('FEP_DISPOSED')
    expect(await second.loss()).toBeGreaterThan(0)
    for (let i = 0; i < 5; i++) await trainer.step(batch)
    expect(alive()).toBe(held)
    await trainer.accumulate(batch)
    await trainer.apply()
    expect(alive()).toBeLessThanOrEqual(held)
    await trainer.dispose()
    expect(alive()).toBe(0)
  })

  it('is flat over streaming steps', async () => {
    const { backend, alive } = deviceBackend()
    const stream = await gate.stream(backend, gate.init({ seed: 1 }), { batch: 2 })
    const token = wave32([2, 4])
    await stream.step(token)
    const held = alive()
    for (let i = 0; i < 5; i++) await stream.step(token)
    expect(alive()).toBe(held)
    stream.dispose()
    await Promise.resolve()
    expect(alive()).toBe(0)
  })
})
