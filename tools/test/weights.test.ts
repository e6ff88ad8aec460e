/** docs/weights.md: its training goes on where it stopped. Its other blocks are those of every page (`npm run docs:test`). */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'fep-moe-weights-'))
const { blocksOf } = await import(new URL('../blocks/blocks.mjs', import.meta.url).href)

beforeAll(() => {
  // What installing the packages would put there.
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(join(root, 'apps/cli/node_modules/@fep-moe'), join(folder, 'node_modules/@fep-moe'), 'junction')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('goes on with a training', async () => {
  const { file, code } = blocksOf('docs/weights.md').find(
    (block: { file?: string }) => block.file === 'train.mjs',
  )
  writeFileSync(join(folder, file), code)
  const train = async () => (await run(process.execPath, [file], { cwd: folder })).stdout.trim()
  expect(await train()).toBe('at step 10')
  expect(await train()).toBe('at step 20')
}, 120_000)
