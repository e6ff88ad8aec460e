/** docs/writing-a-backend.md, followed word for word. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)
const page = readFileSync(join(root, 'docs/writing-a-backend.md'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'fep-moe-backend-'))

/** The JavaScript blocks; the first line of each names its file. */
const blocks = [...page.matchAll(/```js\n\/\/ (\S+)\n(.*?)```/gs)].map(([, file, code]) => ({
  file: file as string,
  code: code as string,
}))

const write = ({ file, code }: { file: string; code: string }) => writeFileSync(join(folder, file), code)
const conformance = (...args: string[]) =>
  run(
    process.execPath,
    [join(root, 'apps/cli/dist/bin.js'), 'conformance', '--backend', './my-backend.js', ...args],
    {
      cwd: folder,
      maxBuffer: 2 ** 26,
    },
  )

beforeAll(() => {
  // What installing the packages would put there.
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(join(root, 'apps/cli/node_modules/@fep-moe'), join(folder, 'node_modules/@fep-moe'), 'junction')
  symlinkSync(join(root, 'node_modules/vitest'), join(folder, 'node_modules/vitest'), 'junction')
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('writing a backend', () => {
  it('has the files it talks about', () => {
    expect(blocks.map(({ file }) => file)).toEqual([
      'my-backend.js',
      'lowerings.js',
      'lowerings.js',
      'my-backend.test.js',
    ])
    for (const [, name] of page.matchAll(/^\| `([\w/-]+\.ts)`/gm))
      expect(readFileSync(join(root, 'packages/js/src', name as string), 'utf8').length).toBeGreaterThan(0)
  })

  it('passes with no lowering at all', async () => {
    const [backend, none] = blocks
    for (const block of [backend, none]) if (block) write(block)
    const { stdout } = await conformance('--group', 'operators,lifecycle')
    expect(stdout.trim().split('\n').at(-1)).toMatch(/^mine: \d+ passed$/)
  }, 300_000)

  it('passes with lowerings, and on random graphs', async () => {
    write(blocks[2] as (typeof blocks)[number])
    const { stdout } = await conformance('--fuzz', '50', '--seed', '1', '--json')
    expect(JSON.parse(stdout.trim().split('\n').at(-1) as string)).toMatchObject({ graphs: 50, failed: 0 })
  }, 300_000)

  it('runs in a test runner', async () => {
    write(blocks[3] as (typeof blocks)[number])
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    // All but the groups that build large programs of the same operators, which take minutes.
    const names = '^conformance (operators|official|gradients|fuzz|non-finite|lifecycle|ran)\\b'
    const args = ['run', '--root', folder, '--reporter=json', '-t', names]
    const { stdout } = await run(process.execPath, [vitest, ...args], { cwd: folder, maxBuffer: 2 ** 26 })
    const report = JSON.parse(stdout.slice(stdout.indexOf('{')))
    expect(report.numFailedTests).toBe(0)
    expect(report.numPassedTests).toBeGreaterThan(300)
  }, 600_000)

  it('is told where a lowering is wrong', async () => {
    const { code } = blocks[2] as (typeof blocks)[number]
    write({
      file: 'lowerings.js',
      code: code.replace('Sqrt: elementwise(Math.sqrt)', 'Sqrt: elementwise(Math.cbrt)'),
    })
    const failed = await conformance('--group', 'operators').then(
      () => undefined,
      (error) => error,
    )
    expect(failed.code).toBe(1)
    expect(failed.stdout).toMatch(/operators\/Sqrt\/\S+ +failed/)
  }, 300_000)
})
