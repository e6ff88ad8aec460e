import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { fepMoe, scratchFolder } from './command.js'

const folder = scratchFolder()
const run = (line: string) => fepMoe(line === '' ? [] : line.split(' '), { cwd: folder.path })

describe('fep-moe', () => {
  it.each([
    '',
    '--help',
    'reproduce --help',
    'bench --help',
    'bench train --help',
    'conformance --help',
    'backends --help',
    'help',
  ])('%s prints help', async (line) => {
    const { status, stdout, stderr } = await run(line)
    expect(stdout).toMatch(/^Usage: fep-moe/)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  it('--version prints the version', async () => {
    const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
    expect(await run('--version')).toMatchObject({ status: 0, stdout: `${version}\n` })
  })

  it('backends lists what runs here', async () => {
    const { status, stdout } = await run('backends')
    expect(stdout).toMatch(/^onnx +available/m)
    expect(stdout).toMatch(/^reference +available/m)
    expect(status).toBe(0)
    const json = JSON.parse((await run('backends --json')).stdout) as { name: string; available: boolean }[]
    expect(json.map(({ name }) => name)).toEqual(['onnx', 'reference'])
    expect(json[1]).toMatchObject({
      available: true,
      module: '@fep-moe/core',
      capabilities: { precision: 'float32' },
    })
  })

  it('bench train prints one JSON object per line', async () => {
    const { status, stdout } = await run('bench train --json --steps 3 --condition baseline,pi')
    expect(status).toBe(0)
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number | string>)
    expect(lines.map(({ condition }) => condition)).toEqual(['baseline', 'pi'])
    for (const timing of lines) {
      expect(Object.keys(timing)).toEqual(['condition', 'p50_us', 'p99_us', 'data_us', 'run_us', 'create_ms'])
      expect(timing.p99_us as number).toBeGreaterThanOrEqual(timing.p50_us as number)
      expect(timing.p50_us as number).toBeGreaterThan(timing.run_us as number)
    }
  })

  it('bench train prints a table, and a profile per node', async () => {
    const { stdout } = await run('bench train --steps 2 --condition beta')
    expect(stdout).toMatch(/^condition +p50 µs +p99 µs +data µs +run µs +create ms$/m)
    const profile = await run('bench train --profile --steps 2 --condition baseline')
    expect(profile.status).toBe(0)
    expect(profile.stdout).toMatch(/^node +operator +µs +share +calls$/m)
    const json = await run('bench train --profile --json --steps 2 --condition baseline')
    expect(JSON.parse(json.stdout.split('\n')[0] as string)).toMatchObject({
      condition: 'baseline',
      us: expect.any(Number),
    })
  })

  it('conformance prints a line per case, or a report', async () => {
    const { status, stdout } = await run('conformance --backend reference --group lifecycle')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^lifecycle\/\S+ +passed +\S+ +\S+$/m)
    expect(stdout).toMatch(/^reference: \d+ passed/m)
    const report = JSON.parse(
      (await run('conformance --backend reference --group lifecycle --json')).stdout,
    ) as { ok: boolean }
    expect(report).toMatchObject({ ok: true, backend: 'reference' })
  })
})
