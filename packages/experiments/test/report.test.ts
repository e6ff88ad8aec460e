import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Figure, parseResults } from '../src/index.js'
import {
  countVerdicts,
  figureSvgs,
  htmlReport,
  makeReport,
  markdownReport,
  readClaims,
} from '../src/report/index.js'

const keptOf = (name: string) =>
  parseResults(
    JSON.parse(readFileSync(join(import.meta.dirname, `../../../docs/results/${name}.json`), 'utf8')),
  )
const kept = keptOf('ablation')
const report = makeReport(kept, readClaims())
const page = await htmlReport([report])

describe('report.html', () => {
  it('needs nothing from outside, and no script', () => {
    expect(page).not.toMatch(/<script|<link|<img|@import|url\((?!#)|\son\w+=/i)
    // The name of SVG is no address that anybody fetches.
    expect(page.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/(?:https?:)?\/\/\w/)
  })

  it('is for light and dark, wide and narrow', () => {
    expect(page).toContain('prefers-color-scheme:dark')
    expect(page).toContain('name="viewport"')
    expect(page).toContain('color-scheme:light dark')
  })

  it('holds every table, figure, claim and the environment', () => {
    for (const { title } of report.tables) expect(page).toContain(title)
    for (const { id, title } of report.figures) {
      expect(page).toContain(`<figure id="${id}">`)
      expect(page).toContain(title)
    }
    expect(page).toContain(`${countVerdicts(report.claims)}.`)
    expect(page).toContain('42, 43, 44, 45, 46')
    expect(page).toContain(kept.environment.cpu)
  })

  it('has a text alternative for every drawing, and the figures as numbers', () => {
    const drawings = page.match(/<svg\b[^>]*>/g) ?? []
    expect(drawings.length).toBeGreaterThan(10)
    for (const drawing of drawings) expect(drawing).toMatch(/role="img"|aria-hidden="true"/)
    for (const drawing of drawings.filter((d) => d.includes('role="img"')))
      expect(drawing).toMatch(/aria-label="[^"]+"/)
    expect(page.match(/The same as numbers/g)).toHaveLength(report.figures.length)
  })

  it('shows text as text', async () => {
    const odd = { ...report, title: '<b>&"', figures: [], claims: [] }
    expect(await htmlReport([odd])).toContain('<h2>&lt;b&gt;&amp;&quot;</h2>')
  })

  it('says where there are fewer seeds than were published, in the table and beside the title', async () => {
    const seeds = (list: readonly number[]) => {
      const runs = kept.runs.filter(({ seed }) => list.includes(seed))
      return makeReport({ ...kept, runs, settings: { ...kept.settings, seeds: list } }, [])
    }
    const one = seeds([42])
    expect(one.tables[0]?.title).toMatch(/ \(one seed\)$/)
    expect(one.source).toMatch(/; one seed$/)
    expect(await htmlReport([{ ...one, figures: [] }])).toContain('; one seed</p>')
    expect(markdownReport([one])).toContain('; one seed\n')
    expect(seeds([42, 43]).tables[0]?.title).toMatch(/ \(2 seeds of 5\)$/)
    expect(report.source).not.toContain('seed')
    expect(report.tables[0]?.title).not.toMatch(/\)$/)
    const settings = { ...kept.settings, seeds: [42], quick: true }
    expect(makeReport({ ...kept, settings }, []).source).toBe(report.source)
  })

  it('says which conditions were left out', () => {
    const results = keptOf('language-model')
    const conditions = ['standard', 'beta']
    const { source, tables, claims } = makeReport(
      {
        ...results,
        runs: results.runs.filter(({ condition }) => conditions.includes(condition)),
        summary: results.summary.filter(({ condition }) => conditions.includes(condition)),
        settings: { ...results.settings, conditions },
      },
      readClaims(),
    )
    expect(source).toMatch(/; without beta\+ant, beta\+direct$/)
    expect(tables[0]?.title).toMatch(/ \(without beta\+ant, beta\+direct\)$/)
    const untested = claims.filter(({ verdict }) => verdict === 'not tested')
    expect(untested.map(({ id }) => id)).toContain('language-model.direct-inverts')
    expect(untested.find(({ id }) => id.endsWith('direct-inverts'))?.sentence).toMatch(
      /beta\+\w+ was not run/,
    )
    expect(claims.every(({ verdict }) => verdict !== null)).toBe(true)
    expect(claims.some(({ verdict }) => verdict === 'holds')).toBe(true)
  })

  it('says how many claims hold, on top, where there are several experiments', async () => {
    const two = await htmlReport([report, { ...report, name: 'other', figures: [] }])
    expect(two).toContain('<nav>')
    expect(two).toContain('href="#other"')
  })
})

describe('report.md', () => {
  it('holds tables, claims and the environment', () => {
    const text = markdownReport([report])
    for (const { title } of report.tables) expect(text).toContain(`**${title}**`)
    for (const { statement } of report.claims) expect(text).toContain(statement)
    expect(text).toContain('- seeds: 42, 43, 44, 45, 46')
  })
})

describe('a figure', () => {
  const figure: Figure = {
    id: 'f',
    title: 'Title',
    caption: 'Caption.',
    x: { label: 'step t' },
    y: { label: 'share', domain: [0, 1] },
    panels: [
      {
        title: 'panel',
        series: [
          {
            name: 'a',
            points: [
              { x: 0, y: 0.1, low: 0, high: 0.2 },
              { x: 1, y: 0.4 },
            ],
          },
          {
            name: 'b',
            style: 'bound',
            points: [
              { x: 0, y: 1 },
              { x: 1, y: 1 },
            ],
          },
          { name: 'c', style: 'dots', points: [{ x: 0.5, y: 0.5 }] },
        ],
        marks: [
          { axis: 'x', at: 1, label: 'here' },
          { axis: 'y', at: 0.5, label: 'there' },
        ],
      },
    ],
  }

  it('is drawn with axes, labels and marks', async () => {
    const { panels, legend } = await figureSvgs(figure)
    expect(panels).toHaveLength(1)
    for (const text of ['step t', 'share', 'here', 'there', 'Caption.', 'Title, panel'])
      expect(panels[0]?.svg).toContain(text)
    expect(legend.map(({ title }) => title)).toEqual(['a', 'b', 'c'])
    expect(panels[0]?.svg).toContain('stroke-dasharray')
  })

  it('keeps a series’ color in all panels', async () => {
    const [first] = figure.panels
    const second = { title: 'second', series: first?.series.slice(1) ?? [] }
    const { panels } = await figureSvgs({ ...figure, panels: [...figure.panels, second] })
    expect(panels[1]?.svg).not.toContain('--series-0')
    expect(panels[1]?.svg).toContain('--series-1')
  })
})

describe('what a report is made of', () => {
  it('must be known', () => {
    const make = (change: object) => () => makeReport({ ...kept, ...change }, [])
    expect(make({ experiment: 'other' })).toThrow(expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }))
    expect(make({ settings: {} })).toThrow(expect.objectContaining({ code: 'FEP_BAD_CONFIG' }))
  })

  it('is not loaded with the package’s main entry: no plotting, no files', () => {
    const seen = new Set<string>()
    const packages = new Set<string>()
    const visit = (file: string) => {
      if (seen.has(file)) return
      seen.add(file)
      for (const [, from] of readFileSync(file, 'utf8').matchAll(/from '([^']+)'/g)) {
        if (from?.startsWith('.')) visit(join(dirname(file), from.replace(/\.js$/, '.ts')))
        else packages.add(from as string)
      }
    }
    visit(join(import.meta.dirname, '../src/index.ts'))
    expect([...packages].sort()).toEqual([
      '@fep-moe/core',
      '@fep-moe/core/moe',
      '@fep-moe/core/policies',
      '@fep-moe/core/training',
      'simple-statistics',
      'valibot',
    ])
  })
})
