/** What a run, a stream and a trainer leave behind: nothing, exactly. */
import { adam, createGate, type DeviceTensor, type Fetches, type Program, tensor } from '@fep-moe/core'
import { tfjsBackend } from '@fep-moe/tfjs'
import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { counter, mixture, outOfRange } from './graphs.js'
import { lanes } from './lanes.js'

const release = (fetched: Fetches) => Object.values(fetched).forEach((t) => t.dispose())

describe.each(lanes)('%s', (name) => {
  const held = () => {
    const { numTensors, numDataBuffers } = tf.engine().state
    const own = tf.engine().findBackend(name === 'node' ? 'tensorflow' : name)
    return { numTensors, numDataBuffers, inBackend: own.numDataIds() }
  }
  /** After a few rounds that may fill caches, memory must not change. */
  const flat = async (rounds: number, round: (i: number) => Promise<void>) => {
    for (let i = 0; i < 3; i++) await round(i)
    const before = held()
    for (let i = 0; i < rounds; i++) await round(i)
    expect(held()).toEqual(before)
  }
  const x = (batch: number) =>
    tensor(
      Float32Array.from({ length: batch * 12 }, (_, i) => Math.sin(i)),
      [batch, 4, 3],
    )
  const w = tensor(
    Float32Array.from({ length: 15 }, (_, i) => Math.cos(i)),
    [3, 5],
  )

  it('holds nothing once everything is disposed', async () => {
    const backend = await tfjsBackend({ backend: name, smallPrograms: 'native' })
    const before = held()
    const programs: Program[] = [await backend.compile(mixture()), await backend.compile(counter())]
    const kept = await programs[0]?.run({ x: x(2), w })
    programs[0]?.dispose()
    await backend.dispose()
    expect([...((await kept?.literal?.read()) ?? [])]).toEqual([1, 2, 3])
    release(kept as Fetches)
    expect(held()).toEqual(before)
  })
  it('is flat over runs of every size', async () => {
    const backend = await tfjsBackend({ backend: name, smallPrograms: 'native' })
    const program = await backend.compile(mixture())
    await flat(2000, async (i) => release(await program.run({ x: x(1 + (i % 3)), w })))
    await flat(500, async () => {
      await program.runInto({ x: x(2), w }, { mean: tensor([0], []) })
    })
    await backend.dispose()
  })
  it('is flat over runs that fail', async () => {
    const backend = await tfjsBackend({ backend: name, smallPrograms: 'native' })
    const program = await backend.compile(counter())
    const gone = await program.run({ s: tensor([1, 2]), x: tensor([1, 2]) })
    release(gone)
    const middle = await backend.compile(outOfRange())
    const bad = { x: tensor([1, 2, 3]), i: tensor(Int32Array.of(0, 1, 9), [3, 1]) }
    await flat(200, async () => {
      const disposed = program.run({ s: tensor([1, 2]), x: gone.s as DeviceTensor })
      await expect(disposed).rejects.toMatchObject({ code: 'FEP_DISPOSED' })
      await expect(middle.run(bad)).rejects.toMatchObject({ code: 'FEP_BACKEND_FAILED' })
    })
    await backend.dispose()
  })
  it('is flat over results that feed the next run', async () => {
    const backend = await tfjsBackend({ backend: name, smallPrograms: 'native' })
    const program = await backend.compile(counter())
    let state = await program.run({ s: tensor([0, 0]), x: tensor([1, 1]) })
    await flat(2000, async () => {
      const next = await program.run({ s: state.s as DeviceTensor, x: tensor([1, 1]) })
      release(state)
      state = next
    })
    expect([...((await state.s?.read()) ?? [])]).toEqual([2004, 2004])
    release(state)
    await backend.dispose()
  })
  it('is flat over a stream and a training', async () => {
    const backend = await tfjsBackend({ backend: name, smallPrograms: 'native' })
    const before = held()
    const gate = createGate({
      dim: 3,
      experts: 4,
      memory: { kind: 'leaky' },
      anticipation: { kind: 'additive' },
      select: { kind: 'top-k', k: 2 },
    })
    const params = gate.init({ seed: 1 })
    const stream = await gate.stream(backend, params, { batch: 2 })
    await flat(500, async () => {
      await stream.step(tensor([1, 2, 3, 4, 5, 6], [2, 3]))
    })
    stream.dispose()
    const trainer = await gate.trainer(backend, params, { optimizer: adam({ lr: 1e-3 }) })
    const batch = { x: x(2), targets: tensor(Int32Array.of(0, 1, 2, 3, 3, 2, 1, 0), [2, 4]) }
    let last: Awaited<ReturnType<typeof trainer.step>> | undefined
    const step = async () => {
      last = await trainer.step(batch)
    }
    await flat(300, step)
    expect(await last?.loss()).toBeGreaterThan(0)
    await trainer.dispose()
    await backend.dispose()
    expect(held()).toEqual(before)
  })
})
