/** The belief gate learns: what the exact filter knows of a stream, from the stream. */
import { adam, createGate, type DeviceTensor, toHost } from '@fep-moe/core'
import { describe, expect, it } from 'vitest'
import { jsBackend } from '../src/index.js'
import { renewalBound, renewalStreams } from './renewal.js'

describe('learning to filter', () => {
  it('comes near the bound of the renewal task in some hundred steps', async () => {
    const fast = await jsBackend()
    const gate = createGate({ dim: 16, experts: 4, belief: { phases: 12 } })
    const trainer = await gate.trainer(fast, gate.init({ seed: 42 }), {
      optimizer: adam({ lr: 1e-2 }),
      layout: 'feature-major',
    })
    const streams = renewalStreams(42)
    for (let step = 0; step < 300; step++) await trainer.step(streams(64, 48))
    const test = renewalStreams(7)(500, 48)
    const program = await fast.compile(gate.graph({ steps: 48, layout: 'feature-major' }))
    const { next } = await program.run({ ...(await trainer.params()), x: test.x })
    const p = (await toHost(next as DeviceTensor)).data
    let [right, loss, count] = [0, 0, 0]
    for (let t = 8; t < 48; t++)
      for (let b = 0; b < 500; b++) {
        const of = (e: number) => p[(e * 48 + t) * 500 + b] as number
        const target = test.targets.data[t * 500 + b] as number
        right += [0, 1, 2, 3].every((e) => of(e) <= of(target)) ? 1 : 0
        loss -= Math.log(of(target))
        count++
      }
    const bound = renewalBound(test.x, test.targets)
    expect(right / count).toBeGreaterThan(bound.accuracy - 0.006)
    expect(loss / count).toBeLessThan(bound.logLoss + 0.02)
    await trainer.dispose()
    await fast.dispose()
  }, 120_000)
})
