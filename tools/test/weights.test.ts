/** docs/weights.md, followed word for word: with what PyTorch wrote, because there may be no Python here. */
import { execFile } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)
const page = readFileSync(join(root, 'docs/weights.md'), 'utf8')
const fixtures = join(root, 'packages/core/test/fixtures/weights')
const folder = mkdtempSync(join(tmpdir(), 'fep-moe-weights-'))

const blocks = [...page.matchAll(/```(\w+)\n(.*?)```/gs)].map(([, language, code]) => ({
  language: language as string,
  code: code as string,
}))
const inLanguage = (language: string) =>
  blocks.filter((block) => block.language === language).map(({ code }) => code)

/** Runs the block whose first line names that file. */
async function script(name: string): Promise<string> {
  const code = inLanguage('js').find((text) => text.startsWith(`// ${name}\n`)) as string
  writeFileSync(join(folder, name), code)
  const { stdout } = await run(process.execPath, [name], { cwd: folder })
  return stdout.trim()
}

beforeAll(() => {
  // What installing the packages would put there.
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(join(root, 'apps/cli/node_modules/@fep-moe'), join(folder, 'node_modules/@fep-moe'), 'junction')
  for (const name of ['gate', 'x', 'torch'])
    copyFileSync(join(fixtures, 'two-minutes', `${name}.safetensors`), join(folder, `${name}.safetensors`))
  copyFileSync(join(fixtures, 'router.safetensors'), join(folder, 'model-00001-of-00002.safetensors'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('docs/weights.md', () => {
  it('has the script that wrote the files, and nothing that is not run here', () => {
    expect(inLanguage('python')).toEqual([readFileSync(join(root, 'tools/weights/two_minutes.py'), 'utf8')])
    expect(blocks.map(({ language }) => language)).toEqual(['python', 'sh', 'js', 'js', 'js'])
  })

  it('routes weights of PyTorch with the numbers of PyTorch', async () => {
    for (const line of inLanguage('sh').join('').trim().split('\n')) {
      const [command, file] = line.replace('npx fep-moe ', '').split(' > ') as [string, string?]
      const args = [join(root, 'apps/cli/dist/bin.js'), ...command.split(' ')]
      const { stdout, stderr } = await run(process.execPath, args, { cwd: folder })
      expect(stderr).toBe('')
      if (file) writeFileSync(join(folder, file), stdout)
    }
    expect(await script('compare.mjs')).toBe('as PyTorch has it')
  }, 120_000)

  it('takes a router out of a shard', async () => {
    expect(await script('router.mjs')).toBe('8 × 6 of 20 tensors')
  }, 120_000)

  it('goes on with a training', async () => {
    expect(await script('train.mjs')).toBe('at step 10')
    expect(await script('train.mjs')).toBe('at step 20')
  }, 120_000)
})
