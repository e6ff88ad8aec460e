/** docs/mechanisms: a page for every kind, defaults as the configuration has them. */
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { links, pagesIn, read, rows } from './docs/markdown.js'
import { compared, fields, kinds, readRow, sections, subjects } from './docs/mechanisms.js'

const pages = pagesIn('docs/mechanisms').filter((path) => basename(path) !== 'README.md')
const tableOf = (page: string) => rows(read(page), 'field', 'default', 'range').map(readRow)

describe.each(Object.entries(kinds))('%s', (section, pageOf) => {
  it.each(Object.entries(pageOf))('%s has a page with every field', (kind, page) => {
    const text = read(`docs/mechanisms/${page}.md`)
    expect(text).toMatch(new RegExp(`kind: '${kind}'|\`${kind}\``))
    const stated = tableOf(`docs/mechanisms/${page}.md`).map(({ field }) => field)
    const table = fields[section as keyof typeof fields] as Readonly<Record<string, object>>
    for (const field of Object.keys(table[kind] as object)) expect(stated).toContain(`${section}.${field}`)
  })
})

it.each(Object.entries(sections))('%s has a page with every field', (section, table) => {
  const stated = tableOf(`docs/mechanisms/${section}.md`).map(({ field }) => field)
  expect(stated).toEqual(Object.keys(table).map((field) => `${section}.${field}`))
})

it('the index names every page, and no other', () => {
  const named = links(read('docs/mechanisms/README.md'))
    .map(({ target }) => target)
    .filter((target) => /^[\w-]+\.md$/.test(target))
  expect(new Set(named)).toEqual(new Set(pages.map((page) => basename(page))))
})

describe.each(pages)('%s', (page) => {
  it('says what it is, when to use it and when not, and what goes wrong', () => {
    const headings = [...read(page).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
    expect(headings).toEqual(
      expect.arrayContaining(['Formula', 'Hyperparameters', 'When to use it', 'When not', 'Pitfalls']),
    )
  })

  it('states the defaults that there are', () => {
    for (const row of tableOf(page)) {
      const section = row.field.split('.').slice(0, -1).join('.') || 'gate'
      expect([...Object.keys(kinds), ...Object.keys(subjects)], row.field).toContain(section)
      for (const { without, given } of compared(row, basename(page, '.md')))
        expect(given, row.field).toEqual(without)
    }
  })
})

it('a wrong default is found out', () => {
  const row = readRow(['`memory.beta`', '`0.8`'])
  const [found] = compared(row, 'leaky-memory')
  expect(found?.given).not.toEqual(found?.without)
})
