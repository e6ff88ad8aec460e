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

const start = (file: string, steps: number, backend = '@fep-moe/js') =>
  spawn(process.execPath, [script, at(file), `${steps}`, backend], { stdio: ['ignore', 'pipe', 'inherit'] })

async function finish(file: string, steps: number, backend?: string): Promise<Uint8Array> {
  const child = start(file, steps, backend)
  child.stdout.resume()
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

const leftAside = () => folder.list().filter((name) => name.endsWith('.tmp'))

describe('a training', () => {
  it.each(['@fep-moe/js', '@fep-moe/onnx'])(
    'goes on in another process with the same bytes: %s',
    async (backend) => {
      const name = backend.replace(/\W/g, '')
      const whole = await finish(`${name}-whole`, 6, backend)
      await finish(`${name}-parts`, 2, backend)
      await finish(`${name}-parts`, 3, backend)
      expect(await finish(`${name}-parts`, 6, backend)).toEqual(whole)
    },
  )

  it('that is killed 50 times leaves a good file each time, and ends with the same bytes', async () => {
    const delays = random(8, 'kills')
    let step = 0
    for (let kill = 0; kill < 50; kill++) {
      const child = start('killed', 1_000_000)
      const closed = once(child, 'close')
      // After its first save, so that each one gets further; then at any moment of the next ones.
      await once(child.stdout, 'data')
      await wait(delays.uniform() * 25)
      child.kill('SIGKILL')
      await closed
      const found = stepOf('killed')
      expect(found).toBeGreaterThan(step)
      step = found
    }
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
