import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { fepMoe, scratchFolder } from './command.js'

const folder = scratchFolder()
const run = (line: string) => fepMoe(line === '' ? [] : line.split(' '), { cwd: folder.path })

describe('fep-moe', () => {
  it.each([
    '',
    '--help',
    'reproduce --help',
    'bounds --help',
    'bench --help',
    'bench train --help',
    'bench stream --help',
    'bench route --help',
    'bench layer --help',
    'bench executors --help',
    'bench memory --help',
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
    const states = JSON.parse((await run('backends --json')).stdout) as { name: string; available: boolean }[]
    expect(states.map(({ name }) => name)).toEqual([
      'onnx',
      'js',
      'tfjs',
      'tfjs-node',
      'tfjs-wasm',
      'tfjs-cpu',
      'webgpu-node',
      'reference',
    ])
    expect(states.at(-1)).toMatchObject({
      available: true,
      module: '@fep-moe/core',
      capabilities: { precision: 'float32' },
    })
    // What is missing says why; what picks among several says which it picked.
    for (const state of states)
      expect(state).toHaveProperty('reason', state.available ? null : expect.any(String))
    expect(states[2]).toMatchObject({ available: true, runs: expect.stringMatching(/^tfjs-(node|wasm)$/) })
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
      expect(Object.keys(timing)).toEqual([
        'what',
        'experiment',
        'condition',
        'p50_us',
        'p99_us',
        'data_us',
        'run_us',
        'create_ms',
      ])
      expect(timing.p99_us as number).toBeGreaterThanOrEqual(timing.p50_us as number)
      expect(timing.p50_us as number).toBeGreaterThan(timing.run_us as number)
    }
  })

  it('bench train times another experiment', async () => {
    const line = 'bench train --experiment language-model --json --steps 2 --condition standard'
    const { status, stdout } = await run(line)
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ experiment: 'language-model', condition: 'standard' })
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

  it('conformance runs a module of the caller, and random graphs', async () => {
    const core = pathToFileURL(createRequire(import.meta.url).resolve('@fep-moe/core')).href
    const mine = `export { createBackend } from ${JSON.stringify(core)}\n`
    writeFileSync(join(folder.path, 'mine.mjs'), mine)
    const { status, stdout } = await run('conformance --backend ./mine.mjs --fuzz 20 --seed 3 --json')
    expect(status).toBe(0)
    const last = JSON.parse(stdout.trim().split('\n').at(-1) as string) as Record<string, number>
    expect(Object.keys(last)).toEqual(['graphs', 'failed', 'fragile'])
    expect(last).toMatchObject({ graphs: 20, failed: 0 })
    expect((await run('conformance --backend ./mine.mjs --group golden')).status).toBe(0)
    writeFileSync(join(folder.path, 'none.mjs'), 'export const backend = 1\n')
    expect((await run('conformance --backend ./none.mjs')).stderr).toMatch(
      /^error FEP_USAGE: .*createBackend/,
    )
    expect((await run('conformance --backend ./absent.mjs')).status).toBe(2)
  })

  it('conformance --markdown prints the page', async () => {
    const { status, stdout } = await run('conformance --markdown --backend js --group golden')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^# Conformance$/m)
    expect(stdout).toMatch(/^\| js \| \d+ \|$/m)
  })

  it('bench stream prints one size per line', async () => {
    const { status, stdout } = await run('bench stream --backend js --steps 3 --json')
    expect(status).toBe(0)
    const sizes = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { what: string; d: number; p50_us: number })
    expect(sizes.map(({ what, d }) => [what, d])).toEqual([16, 64, 256, 1024].map((d) => ['stream', d]))
    for (const { p50_us } of sizes) expect(p50_us).toBeGreaterThan(0)
  })

  it('bench layer prints one number of experts per line', async () => {
    const line = 'bench layer --tokens 32 --d 4 --hidden 8 --experts 4,8 --top-k 2 --steps 2'
    const { status, stdout } = await run(`${line} --json`)
    expect(status).toBe(0)
    const timings = stdout
      .trim()
      .split('\n')
      .map((one) => JSON.parse(one))
    expect(timings.map(({ experts, top_k, tokens }) => [experts, top_k, tokens])).toEqual([
      [4, 2, 32],
      [8, 2, 32],
    ])
    for (const { p50_us } of timings) expect(p50_us).toBeGreaterThan(0)
    expect((await run('bench layer --experts 4,x')).status).toBe(2)
  })

  it('bench memory watches every executor', async () => {
    const { status, stdout } = await run('bench memory --steps 50 --json')
    expect(status).toBe(0)
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { executor: string; heap_mb: number[] })
    expect(rows.map(({ executor }) => executor)).toEqual(expect.arrayContaining(['onnx', 'js', 'reference']))
    for (const { heap_mb } of rows) expect(heap_mb).toHaveLength(3)
  })
})
