import type { CaseResult } from '@fep-moe/conformance'
import { type Capabilities, referenceBackend } from '@fep-moe/core'
import { describe, expect, it } from 'vitest'
import { type LanePage, remoteLane } from '../conformance/browser-lane.js'

const { capabilities } = await referenceBackend()
const backend = { name: 'paper', specVersion: 1, capabilities: capabilities as Capabilities } as const
const passed = (id: string) => ({ id, status: 'passed' }) as CaseResult
const never = <T>() => new Promise<T>(() => undefined)

function page(over: Partial<LanePage> = {}): LanePage {
  return {
    backend,
    run: async (id) => passed(id),
    gone: never(),
    complaints: [],
    close: async () => undefined,
    ...over,
  }
}

const reason = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: Error) => error.message,
  )

describe('a lane in a page', () => {
  it('opens the page once, runs there, closes it', async () => {
    let [opened, closed] = [0, 0]
    const close = async () => {
      closed++
    }
    const lane = remoteLane(async () => {
      opened++
      return page({ close })
    }, 1000)
    expect([await lane.run('a'), await lane.run('b')]).toEqual([passed('a'), passed('b')])
    const { name, dispose } = await lane.backend()
    await dispose()
    await lane.close()
    expect([name, opened, closed]).toEqual(['paper', 1, 1])
  })
  it('closes nothing where nothing was opened', async () => {
    await remoteLane(async () => page(), 1000).close()
  })
  it('fails the case in which the page hangs, and does not wait again', async () => {
    const lane = remoteLane(async () => page({ run: never }), 20)
    expect(await reason(lane.run('stuck'))).toContain('stuck took longer than 0.02 s')
    expect(await reason(lane.run('next'))).toContain('not run: stuck took longer')
  })
  it('fails the case in which the page crashes, and all later ones', async () => {
    const lane = remoteLane(async () => page({ run: never, gone: Promise.resolve('the page crashed') }), 1000)
    expect(await reason(lane.run('heavy'))).toContain('the page crashed (at heavy)')
    expect(await reason(lane.run('next'))).toContain('not run: the page crashed')
  })
  it('says why the page did not open', async () => {
    const lane = remoteLane(() => Promise.reject(new Error('no browser')), 1000)
    expect(await reason(lane.run('a'))).toContain('no browser')
    expect(await reason(lane.run('b'))).toContain('not run: no browser')
    expect(await reason(remoteLane(never, 20).run('a'))).toContain('opening the page took longer')
    await lane.close()
  })
  it('fails at its end where the page complained', async () => {
    const { dispose } = await remoteLane(async () => page({ complaints: ['console: oh'] }), 1000).backend()
    expect(await reason(dispose())).toContain('console: oh')
  })
})
