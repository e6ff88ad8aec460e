/** A process that uses WebGPU: it does not crash while it runs, and it ends. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dawn, holdForever } from '../src/runtime/dawn.js'
import { openDevice } from '../src/runtime/open.js'
import { reasonAgainst, standIn } from './adapter.js'
import { type Script, script } from './child.js'

/** Nothing keeps what Dawn gave but the package. */
const COLLECTION = `
import { openDevice } from '../src/runtime/open.js'
const { gpu } = await openDevice(undefined)
const junk = []
for (let i = 0; i < 4000; i++) {
  const buffer = gpu.createBuffer({ size: 256, usage: 1 | 8 })
  await buffer.mapAsync(1)
  buffer.unmap()
  buffer.destroy()
  junk.push(new Array(3000).fill(i))
  if (junk.length > 200) junk.length = 0
  if (i % 100 === 0) globalThis.gc?.()
}
console.log('alive')
`

/** Ends in the way that its argument says. */
const ending = (last: string) => `
import { tensor } from '@fep-moe/core'
import { counter, load, openLifetime } from './hand-written.js'
const lifetime = await openLifetime()
const program = await load(counter(3), lifetime)
const results = await program.run({ s: tensor([1, 2, -9]), x: tensor([1, 0, 1]) })
console.log(String(await results.s.read()))
${last}
`
const ENDINGS = {
  'after dispose': 'program.dispose(); await lifetime.dispose()',
  'without dispose': '',
  'after the device is destroyed': 'lifetime.latest.gpu.destroy()',
  'with a read under way': 'void results.again.read()',
  'when it is told to': 'process.exit(0)',
  'when it is told to, with a read under way': 'void results.again.read(); process.exit(0)',
}

describe("Dawn's instance", () => {
  it('is missing with the line that installs it', async () => {
    const absent = () => Promise.reject(new Error("Cannot find package 'webgpu'\nmore"))
    // What a process has loaded it keeps, so this needs one that has not.
    const key = Object.getOwnPropertySymbols(globalThis).find((s) =>
      s.description?.startsWith('@fep-moe/webgpu'),
    )
    const held = key && Reflect.get(globalThis, key)
    if (key) Reflect.deleteProperty(globalThis, key)
    try {
      const error = await dawn(absent).catch((reason) => reason)
      expect(error.code).toBe('FEP_BACKEND_MISSING')
      expect(error.message).toContain('npm install webgpu')
    } finally {
      if (key) Reflect.set(globalThis, key, held)
    }
  })
  it('is one, and held where no collector finds it', async () => {
    const made = { requestAdapter: async () => null }
    expect(holdForever(made)).toBe(made)
    const [one, two] = await Promise.all([dawn(), dawn()]).catch(() => [made, made])
    expect(one).toBe(two)
  })
  it('without an adapter says what to do', async () => {
    const none = async () => ({ requestAdapter: async () => null })
    await expect(openDevice(undefined, none)).rejects.toMatchObject({ code: 'FEP_BACKEND_MISSING' })
  })
})

if (reasonAgainst) standIn(reasonAgainst)
else
  describe('a process', () => {
    describe('that collects garbage', () => {
      let child: Script
      beforeAll(async () => {
        child = await script(COLLECTION)
      })
      afterAll(() => child.remove())
      it.each([[[]], [['--expose-gc']]])('keeps its devices, with flags %j', async (flags) => {
        expect(await child.run(flags)).toEqual({ status: 0, stdout: 'alive', stderr: '' })
      })
    })
    it.each(Object.entries(ENDINGS))('ends %s', async (_, last) => {
      const child = await script(ending(last))
      try {
        expect(await child.run()).toEqual({ status: 0, stdout: '3,2,-7', stderr: '' })
      } finally {
        child.remove()
      }
    })
  })
