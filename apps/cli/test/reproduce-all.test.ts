/** `fep-moe reproduce --all`: one pool, one cache, one report. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { experiments, parseResults, type Results } from '@fep-moe/experiments'
import { describe, expect, it } from 'vitest'
import { planRuns } from '../src/reproduce/plan.js'
import { fepMoe, scratchFolder } from './command.js'

const area = scratchFolder()
/** Those that do not take too long to be among all. */
const among = experiments.filter(({ amongAll }) => amongAll?.seeds !== 0)
const names = among.map(({ name }) => name)
const leftOut = experiments.filter((e) => !among.includes(e)).map(({ name }) => name)
const SHORT = '--quick --epochs 1 --backend onnx'
const all = (line: string, options = {}) =>
  fepMoe(['reproduce', '--all', ...`${SHORT} ${line}`.trim().split(' ')], { cwd: area.path, ...options })
const results = (out: string, name: string): string =>
  readFileSync(join(area.path, out, name, 'results.json'), 'utf8')
const runsIn = (out: string) =>
  names.reduce((n, name) => n + parseResults(JSON.parse(results(out, name))).runs.length, 0)

describe('what --all runs', () => {
  const seeds = (flags: object) =>
    Object.fromEntries(
      planRuns(undefined, { all: true, ...flags }).parts.map(({ experiment, settings }) => [
        experiment.name,
        settings.seeds.length,
      ]),
    )

  it('is every experiment in the order of the list, with as many seeds as fit', () => {
    const plan = planRuns(undefined, { all: true })
    expect(plan.parts.map(({ experiment }) => experiment.name)).toEqual(names)
    expect(seeds({})).toMatchObject({ 'language-model': 1 })
    for (const { experiment, settings } of plan.parts) {
      const { conditions } = experiment.amongAll ?? {}
      const published = experiment.settings(conditions && { conditions })
      expect(settings).toEqual({ ...published, seeds: published.seeds.slice(0, settings.seeds.length) })
    }
    expect(
      plan.parts.find(({ experiment }) => experiment.name === 'language-model')?.settings.conditions,
    ).toEqual(['standard', 'beta', 'beta+ant'])
    const full = planRuns(undefined, { all: true, full: true })
    expect(full.parts.every(({ settings }) => settings.conditions === undefined)).toBe(true)
  })

  it('leaves out what takes long, but for --full', () => {
    expect(leftOut).toEqual(['expert-threshold', 'switching-text', 'past-the-paper'])
    for (const flags of [{}, { quick: true }, { seeds: [1] }])
      expect(planRuns(undefined, { all: true, ...flags }).leftOut).toEqual(leftOut)
    const full = planRuns(undefined, { all: true, full: true })
    expect(full.leftOut).toEqual([])
    expect(full.parts.map(({ experiment }) => experiment.name)).toEqual(experiments.map(({ name }) => name))
    expect(planRuns('expert-threshold', {}).parts[0]?.settings.seeds).toEqual([1, 2, 3])
  })

  it('is every seed with --full, those named with --seeds, one with --quick', () => {
    for (const { name, settings } of experiments)
      expect(seeds({ full: true })[name]).toBe(settings().seeds.length)
    for (const { name } of among) {
      expect(seeds({ seeds: [7, 8] })[name]).toBe(2)
      expect(seeds({ quick: true })[name]).toBe(1)
    }
  })

  it('shares one cache with an experiment that is run alone', () => {
    const alone = planRuns('ablation', {})
    expect(alone.cache).toBe(planRuns(undefined, { all: true }).cache)
    expect(alone.parts[0]?.folder).toBe(planRuns(undefined, { all: true }).parts[0]?.folder)
    expect(planRuns('ablation', { out: 'x' }).cache).toBe(join('x', 'cache'))
  })
})

describe('fep-moe reproduce --all', () => {
  it('prints the tables of each experiment as it ends, and writes one report over all', async () => {
    const { status, stdout, stderr } = await all('--out all')
    expect(stderr).toMatch(/^training 100 % {2}(\d+)\/\1 runs/m)
    expect(status).toBe(0)
    for (const name of leftOut) expect(stderr).toContain(`${name}: left out`)
    for (const { title } of among) expect(stdout).toContain(`${title}\n`)
    const paths = names.map((name) => `results: ${join(area.path, 'all', name, 'results.json')}\n`)
    const page = join(area.path, 'all', 'report.html')
    expect(stdout.endsWith(`\n${paths.join('')}report: ${page}\n`)).toBe(true)
    const html = readFileSync(page, 'utf8')
    for (const name of names) expect(html).toContain(`<section id="${name}">`)
    expect(readdirSync(join(area.path, 'all')).sort()).toEqual(
      [...names, 'cache', 'report.html', 'report.md'].sort(),
    )
  })

  it('goes on after Ctrl-C from what is finished, and gets what an undisturbed run gets', async () => {
    const stopped = await all('--workers 1 --out stopped', {
      onStderr: (() => {
        let sent = false
        return (_: string, kill: (signal: NodeJS.Signals) => void) => {
          if (sent) return
          sent = true
          const poll = setInterval(() => {
            const kept = area.list().filter((name) => /^stopped\/cache\/\w+\.json$/.test(name))
            // In the middle: the first experiment is whole, others are not.
            if (!area.list().includes('stopped/ablation/results.json') || kept.length < 11) return
            clearInterval(poll)
            kill('SIGINT')
          }, 20)
        }
      })(),
    })
    expect(stopped.status).toBe(130)
    const [, kept, whole] = /interrupted; (\d+) of (\d+) runs are kept/.exec(stopped.stderr) ?? []
    expect(Number(kept)).toBeGreaterThanOrEqual(11)
    expect(Number(kept)).toBeLessThan(Number(whole))
    expect(area.list()).not.toContain('stopped/report.html')

    const second = await all('--out stopped')
    expect(second.stderr).toContain(`cache: ${kept} of ${whole} runs from the cache\n`)
    expect(second.status).toBe(0)
    expect(runsIn('stopped')).toBe(Number(whole))
    for (const name of names) expect(results('stopped', name)).toBe(results('all', name))
  })

  it('finds all of it again, prints a list of results with --json, and adds only what is missing', async () => {
    const { status, stdout, stderr } = await all('--out all --json')
    const whole = runsIn('all')
    expect(stderr.split('\n')[0]).toBe(`cache: ${whole} of ${whole} runs from the cache`)
    expect(stderr).toMatch(/\nreport: \S+\n$/)
    expect(status).toBe(0)
    const list = JSON.parse(stdout) as Results[]
    expect(list.map(({ experiment }) => experiment)).toEqual(names)
    const more = `reproduce precision ${SHORT} --seeds 42,43 --cache all/cache --out more`
    const added = await fepMoe(more.split(' '), { cwd: area.path })
    expect(added.stderr).toContain('cache: 7 of 14 runs from the cache\n')
  })
})
