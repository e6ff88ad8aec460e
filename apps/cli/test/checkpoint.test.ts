/** A training that is killed leaves a good checkpoint, whenever that is, and goes on with the same bytes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { random } from '@fep-moe/core'
import { writeFileDurably } from '@fep-moe/core/node'
import { decodeCheckpoint } from '@fep-moe/core/safetensors'
import { describe, expect, it } from 'vitest'
import { scratchFolder } from './command.js'

const folder = scratchFolder()
const at = (name: string) => join(folder.path, name)
const script = fileURLToPath(new URL('fixtures/train-and-save.mjs', import.meta.url))

interface Backend {
  readonly module: string
  readonly options?: Readonly<Record<string, unknown>>
}
const js: Backend = { module: '@fep-moe/js' }
/** Not on JavaScript where programs are small, as it is by default. */
const onnx: Backend = { module: '@fep-moe/onnx', options: { smallPrograms: 'native' } }

const start = (file: string, steps: number, { module, options = {} } = js) =>
  spawn(process.execPath, [script, at(file), `${steps}`, module, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })

async function finish(file: string, steps: number, backend?: Backend): Promise<Uint8Array> {
  const child = start(file, steps, backend)
  child.stdout.resume()
  child.stdin.end('go')
  const [status] = await once(child, 'close')
  expect(status).toBe(0)
  return new Uint8Array(readFileSync(at(file)))
}

const stepOf = (file: string): number => {
  const { trainer, extra } = decodeCheckpoint(readFileSync(at(file)))
  const { step } = extra as { step: number }
  expect(trainer.updates).toBe(step)
  return step
}

/** More steps than anybody waits for; a process whose parent is gone ends at its next save, which nobody reads. */
const MANY = 1_000_000

const leftAside = () => folder.list().filter((name) => name.endsWith('.tmp'))

describe('a training', () => {
  it.each([
    ['js', js],
    ['onnx', onnx],
  ])('goes on in another process with the same bytes: %s', async (name, backend) => {
    const whole = await finish(`${name}-whole`, 6, backend)
    await finish(`${name}-parts`, 2, backend)
    await finish(`${name}-parts`, 3, backend)
    expect(await finish(`${name}-parts`, 6, backend)).toEqual(whole)
  })

  it('that is killed 50 times leaves a good file each time, and ends with the same bytes', async () => {
    const delays = random(8, 'kills')
    let step = 0
    let next = start('killed', MANY)
    for (let kill = 0; kill < 50; kill++) {
      const child = next
      const closed = once(child, 'close')
      child.stdin.end('go')
      next = start('killed', MANY)
      // After its first save, so that each one gets further; then at any moment of the next ones.
      await once(child.stdout, 'data')
      await wait(delays.uniform() * 25)
      child.kill('SIGKILL')
      await closed
      const found = stepOf('killed')
      expect(found).toBeGreaterThan(step)
      step = found
    }
    next.stdin.end()
    await once(next, 'close')
    expect(leftAside().length).toBeLessThanOrEqual(1)
    const killed = await finish('killed', step + 3)
    expect(leftAside()).toEqual([])
    expect(await finish('never-killed', step + 3)).toEqual(killed)
  }, 300_000)
})

describe('a file that is written', () => {
  it('replaces another, and leaves nothing aside', async () => {
    writeFileSync(at('old'), 'old')
    await Promise.all([1, 2, 3].map((n) => writeFileDurably(at('old'), `new ${n}`)))
    expect(readFileSync(at('old'), 'utf8')).toMatch(/^new [123]$/)
    expect(leftAside()).toEqual([])
  })

  it.each(['nowhere/file', '.'])('is refused: %s', async (name) => {
    await expect(writeFileDurably(at(name), 'text')).rejects.toMatchObject({ code: 'FEP_IO' })
    expect(leftAside()).toEqual([])
  })
})
