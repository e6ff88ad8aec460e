/** What runs, a stream and a training leave behind on the device: nothing that grows. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { adam, createGate, type DeviceTensor, type Fetches, tensor } from '@fep-moe/core'
import { webgpuBackend } from '@fep-moe/webgpu'
import { describe, expect, it } from 'vitest'
import { lifetimeOf } from '../src/backend.js'
import type { Lifetime } from '../src/runtime/lifetime.js'
import { reasonAgainst, standIn } from './adapter.js'
import { counter, load, openLifetime } from './hand-written.js'

const MIB = 2 ** 20
const release = (fetched: Fetches) => Object.values(fetched).forEach((t) => t.dispose())
const held = ({ latest }: Lifetime) => ({ results: latest.results.state(), staging: latest.staging.state() })

const WINDOWS = 8

setFlagsFromString('--expose-gc')
/** A full collection: what waits for one is no leak, and under load much waits. */
const collect = runInNewContext('gc') as () => void

/** A buffer that is not destroyed costs Dawn some kilobytes. */
const LEAK = 4096

/**
 * Pools do not change at all after a first window of rounds. The process grows in some windows, by what waits for a
 * collection, and shrinks in others; a leak makes it grow in nearly all of them.
 */
async function flat(lifetime: Lifetime, rounds: number, round: (i: number) => Promise<void>): Promise<void> {
  const size = Math.ceil(rounds / WINDOWS)
  const marks: number[] = []
  let before: unknown
  for (let window = 0; window <= WINDOWS; window++) {
    for (let i = 0; i < size; i++) await round(i)
    before ??= held(lifetime)
    collect()
    marks.push(process.memoryUsage().rss)
  }
  expect(held(lifetime)).toEqual(before)
  const growth = marks.slice(1).map((mark, k) => mark - (marks[k] as number))
  const median = growth.sort((a, b) => a - b)[WINDOWS >> 1] as number
  expect(median).toBeLessThan(Math.max(16 * MIB, size * LEAK))
}

if (reasonAgainst) standIn(reasonAgainst)
else
  describe('memory is flat', () => {
    it('over runs whose results feed the next', { timeout: 120_000 }, async () => {
      const lifetime = await openLifetime()
      const program = await load(counter(64), lifetime)
      const x = tensor(new Float32Array(64).fill(1))
      let state = await program.run({ s: x, x })
      await flat(lifetime, 8_000, async () => {
        const next = await program.run({ s: state.s as DeviceTensor, x })
        release(state)
        state = next
      })
      release(state)
      const { results } = held(lifetime)
      expect(results.waiting).toBe(results.bytes)
      program.dispose()
      await lifetime.dispose()
    })
    it('over programs that come and go', async () => {
      const lifetime = await openLifetime()
      await flat(lifetime, 300, async (i) => {
        const program = await load(counter(1 + (i % 3)), lifetime)
        release(await program.run({ s: zeros(1 + (i % 3)), x: zeros(1 + (i % 3)) }))
        program.dispose()
      })
      expect(lifetime.latest.pipelines.stats().created).toBe(9)
      await lifetime.dispose()
    })
    it('over 20,000 steps of a stream', { timeout: 600_000 }, async () => {
      const backend = await webgpuBackend({ smallPrograms: 'native' })
      const gate = createGate({ dim: 4, experts: 2, memory: { kind: 'leaky' } })
      const stream = await gate.stream(backend, gate.init({ seed: 1 }), { batch: 1 })
      const token = tensor([0.5, 0.5, 0.5, 0.5], [1, 4])
      await flat(lifetimeOf(backend), 20_000, async () => {
        await stream.step(token)
      })
      stream.dispose()
      await backend.dispose()
    })
    it('over a training', { timeout: 120_000 }, async () => {
      const backend = await webgpuBackend({ smallPrograms: 'native' })
      const gate = createGate({ dim: 4, experts: 4, memory: { kind: 'leaky' } })
      const trainer = await gate.trainer(backend, gate.init({ seed: 1 }), { optimizer: adam({ lr: 1e-3 }) })
      const batch = {
        x: tensor(new Float32Array(32).fill(1), [2, 4, 4]),
        targets: tensor(new Int32Array(8), [2, 4]),
      }
      let loss = Number.NaN
      await flat(lifetimeOf(backend), 500, async () => {
        const result = await trainer.step(batch)
        loss = await result.loss()
      })
      expect(loss).toBeGreaterThan(0)
      await trainer.dispose()
      const { results } = held(lifetimeOf(backend))
      expect(results.waiting).toBe(results.bytes)
      await backend.dispose()
    })
  })

function zeros(count: number) {
  return tensor(new Float32Array(count))
}
