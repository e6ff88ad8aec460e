/** The cache of finished runs: what it takes for the same run, and what it makes of damage. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ablation, type Run } from '@fep-moe/experiments'
import { describe, expect, it } from 'vitest'
import { openCache, runKey } from '../src/cache.js'
import { codeVersion, hashCode } from '../src/code-version.js'
import type { Task } from '../src/protocol.js'
import { fepMoe, scratchFolder } from './command.js'

const area = scratchFolder()
const settings = ablation.settings({ quick: true, epochs: 2 })
const task: Task = {
  experiment: 'ablation',
  settings,
  job: { condition: 'beta', seed: 42 },
  backend: 'reference',
  threads: 1,
}
const run: Run = {
  experiment: 'ablation',
  ...task.job,
  backend: 'reference',
  metrics: { accuracyAll: 0.5 },
  series: { accuracy: [0.25, 0.75] },
}

describe('the key of a run', () => {
  it('is the same for the same run, however its settings were put together, whatever runs beside it', () => {
    const turned = Object.fromEntries(Object.entries(settings).reverse()) as unknown as typeof settings
    expect(runKey({ ...task, settings: turned })).toBe(runKey(task))
    expect(runKey({ ...task, settings: { ...settings, seeds: [42, 43] } })).toBe(runKey(task))
    expect(runKey({ ...task, settings: { ...settings, conditions: ['beta'] } })).toBe(runKey(task))
  })

  it.each<[string, Partial<Task>]>([
    ['seed', { job: { condition: 'beta', seed: 43 } }],
    ['condition', { job: { condition: 'ant', seed: 42 } }],
    ['experiment', { experiment: 'sensitivity' }],
    ['setting', { settings: { ...settings, epochs: 3 } }],
    ['backend', { backend: 'js' }],
    ['number of threads', { threads: 2 }],
  ])('is another for another %s', (_, change) => {
    expect(runKey({ ...task, ...change }, 'v1')).not.toBe(runKey(task, 'v1'))
  })

  it('is another for other code', () => {
    expect(runKey(task, 'v2')).not.toBe(runKey(task, 'v1'))
    expect(codeVersion('js')).not.toBe(codeVersion('onnx'))
    expect(codeVersion('js')).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('the version of the code', () => {
  it('changes with any file that a run passes through, and with no other', () => {
    const dist = join(area.path, 'package')
    for (const folder of ['', 'gates', 'report']) mkdirSync(join(dist, folder), { recursive: true })
    const write = (file: string, text: string) => writeFileSync(join(dist, file), text)
    const version = () => hashCode([{ name: 'p', dist }])
    write('index.js', 'export const a = 1')
    write('gates/gate.js', '1')
    const first = version()
    expect(version()).toBe(first)
    for (const file of ['index.d.ts', 'index.js.map', 'report/html.js']) write(file, 'x')
    expect(version()).toBe(first)
    write('gates/gate.js', '2')
    const second = version()
    expect(second).not.toBe(first)
    write('gates/other.js', '')
    expect(version()).not.toBe(second)
    expect(hashCode([{ name: 'q', dist }])).not.toBe(version())
  })
})

describe('an entry', () => {
  const open = (name: string) => {
    const cache = openCache(join(area.path, name))
    return { cache, file: join(cache.folder, `${runKey(task)}.json`) }
  }

  it('is found again, and nothing else is there', () => {
    const { cache } = open('found')
    expect(cache.find(task)).toEqual({ kind: 'miss' })
    cache.keep(task, run)
    expect(cache.find(task)).toEqual({ kind: 'hit', run })
    expect(cache.find({ ...task, threads: 2 })).toEqual({ kind: 'miss' })
    expect(readdirSync(cache.folder)).toEqual([`${runKey(task)}.json`])
  })

  it.each<[string, (text: string) => string, RegExp]>([
    ['truncated', (text) => text.slice(0, text.length / 2), /JSON/],
    ['empty', () => '', /JSON/],
    [
      'of another schema',
      (text) => text.replace('"schemaVersion":1', '"schemaVersion":9'),
      /schemaVersion is 9/,
    ],
    ['without a run', (text) => text.replace(/"run":.*\}\n/, '"run":null}\n'), /entry\.run is null/],
    ['with a run of another shape', (text) => text.replace('"series":', '"serie":'), /entry\.run\.serie/],
    ['with another figure', (text) => text.replace('0.75', '0.76'), /checksum/],
    ['under another key', (text) => text.replace(/"key":"..../, '"key":"0000'), /entry\.key/],
    ['that is no object', () => '[]', /entry/],
  ])('%s is damaged, and is written anew', (_, harm, why) => {
    const { cache, file } = open('damaged')
    cache.keep(task, run)
    writeFileSync(file, harm(readFileSync(file, 'utf8')))
    expect(cache.find(task)).toMatchObject({ kind: 'damaged', path: file, why: expect.stringMatching(why) })
    cache.keep(task, run)
    expect(cache.find(task)).toEqual({ kind: 'hit', run })
  })

  it('of another run, renamed, is damaged', () => {
    const { cache, file } = open('renamed')
    const other = { ...task, job: { condition: 'beta', seed: 43 } }
    cache.keep(other, { ...run, seed: 43 })
    writeFileSync(file, readFileSync(join(cache.folder, `${runKey(other)}.json`)))
    expect(cache.find(task).kind).toBe('damaged')
  })

  it('that cannot be read is damaged; a cache that is a file is refused', () => {
    const { cache, file } = open('folder')
    mkdirSync(file, { recursive: true })
    expect(cache.find(task).kind).toBe('damaged')
    writeFileSync(join(area.path, 'file'), '')
    expect(() => openCache(join(area.path, 'file'))).toThrow(expect.objectContaining({ code: 'FEP_IO' }))
  })
})

describe('fep-moe reproduce with a cache', () => {
  const reproduce = (line: string, options = {}) =>
    fepMoe(['reproduce', 'ablation', '--quick', '--backend', 'js', ...line.split(' ')], {
      cwd: area.path,
      ...options,
    })
  const results = (out: string) => readFileSync(join(area.path, out, 'results.json'), 'utf8')
  const entries = (out: string) => readdirSync(join(area.path, out, 'cache'))

  it('goes on after Ctrl-C, and gets what an undisturbed run gets', async () => {
    let sent = false
    const first = await reproduce('--epochs 80 --workers 1 --out stopped', {
      onStderr: (_: string, kill: (signal: NodeJS.Signals) => void) => {
        if (sent) return
        const poll = setInterval(() => {
          const list = area.list().filter((name) => /^stopped\/cache\/\w+\.json$/.test(name))
          if (list.length < 2) return
          clearInterval(poll)
          kill('SIGINT')
        }, 20)
        sent = true
      },
    })
    expect(first.status).toBe(130)
    const [, kept] =
      /interrupted; (\d+) of 9 runs are kept: the same command goes on from there\n$/.exec(first.stderr) ?? []
    expect(Number(kept)).toBeGreaterThanOrEqual(2)
    expect(entries('stopped')).toHaveLength(Number(kept))
    expect(area.list()).not.toContain('stopped/results.json')

    const second = await reproduce('--epochs 80 --out stopped')
    expect(second.stderr).toContain(`cache: ${kept} of 9 runs from the cache\n`)
    expect(second.status).toBe(0)
    const whole = await reproduce('--epochs 80 --no-cache --out whole')
    expect(whole.stderr).not.toContain('cache:')
    expect(area.list()).not.toContain('whole/cache')
    expect(results('stopped')).toBe(results('whole'))
  })

  it('makes a damaged run again, and says so', async () => {
    await reproduce('--epochs 1 --out harmed')
    const before = results('harmed')
    const [name] = entries('harmed')
    const file = join(area.path, 'harmed', 'cache', name as string)
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 100))
    const { status, stderr } = await reproduce('--epochs 1 --out harmed')
    expect(stderr).toContain(`cache: damaged: ${file} (`)
    expect(stderr).toContain('cache: 8 of 9 runs from the cache\n')
    expect(status).toBe(0)
    expect(results('harmed')).toBe(before)
    expect((await reproduce('--epochs 1 --out harmed')).stderr).toBe('cache: 9 of 9 runs from the cache\n')
    // Other settings are other runs; other seeds are more of them.
    expect((await reproduce('--epochs 2 --out harmed')).stderr).not.toContain('from the cache')
    expect((await reproduce('--epochs 1 --seeds 42,43 --out harmed')).stderr).toContain(
      '9 of 18 runs from the cache',
    )
  })

  it('serves two processes at once', async () => {
    const both = await Promise.all(
      ['a', 'b'].map((out) => reproduce(`--epochs 5 --cache shared --out ${out}`)),
    )
    expect(both.map(({ status }) => status)).toEqual([0, 0])
    expect(results('a')).toBe(results('b'))
    expect(readdirSync(join(area.path, 'shared')).every((name) => /^[0-9a-f]{64}\.json$/.test(name))).toBe(
      true,
    )
    const third = await reproduce('--epochs 5 --cache shared --out c')
    expect(third.stderr).toBe('cache: 9 of 9 runs from the cache\n')
  })
})
