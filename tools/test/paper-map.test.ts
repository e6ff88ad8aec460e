/** docs/paper-map.md: every file, export, test, case and claim that it names exists, and none is left out. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { conformanceCases } from '@fep-moe/conformance'
import { experiments } from '@fep-moe/experiments'
import { readClaims } from '@fep-moe/experiments/report'
import { describe, expect, it } from 'vitest'
import { vectorIndex } from '../../packages/conformance/src/vectors/index.js'
import { links, pagesIn, read, root, rows, spans } from './docs/markdown.js'

const page = read('docs/paper-map.md')
const table = rows(page, 'paper', 'code', 'tests', 'cases', 'claims')
const column = (i: number): string[] => table.map((row) => row[i] as string)
const inRepository = (target: string) => target.replace(/^\.\.\//, '')

/** `a.{b,c}` is two names. */
function expand(name: string): string[] {
  const braces = /\{([^}]*)\}/.exec(name)
  if (!braces) return [name]
  const [whole, choices] = braces as unknown as [string, string]
  return choices.split(',').flatMap((choice) => expand(name.replace(whole, choice)))
}

/** Links of a cell with the names of tests, «…», that follow each. */
const testsOf = (cell: string) =>
  [...cell.matchAll(/\[[^\]]*\]\(([^)]+)\)([^[]*)/g)].map(([, target, rest]) => ({
    file: inRepository(target as string),
    names: [...(rest as string).matchAll(/«([^»]*)»/g)].map(([, name]) => name as string),
  }))

const cases = new Set(conformanceCases().map(({ id }) => id))
const claims = readClaims().flatMap((file) => file.claims.map(({ id }) => id))
const named = column(3).flatMap(spans).flatMap(expand)
/** `experiment.part-*` is every claim that begins so. */
const claimed = column(4)
  .flatMap(spans)
  .map((name) => ({ name, ids: claims.filter((id) => matches(id, name)) }))

function matches(id: string, name: string): boolean {
  return name.endsWith('*') ? id.startsWith(name.slice(0, -1)) : id === name
}

describe('the paper map', () => {
  it('has all its rows under the same five columns', () => {
    const all = page.split('\n').filter((line) => line.startsWith('|') && !line.startsWith('| ---'))
    const headers = all.filter((line) => line.startsWith('| paper | code |'))
    expect(table.length).toBe(all.length - headers.length)
    for (const row of table) expect(row, row[0]).toHaveLength(5)
  })

  it('names files that there are, and what they export', () => {
    for (const { text, target } of column(1).flatMap(links)) {
      const file = inRepository(target)
      expect(existsSync(join(root, file)), file).toBe(true)
      if (/^\w+$/.test(text))
        expect(read(file), `${file}: ${text}`).toMatch(
          new RegExp(`^export (?:async )?(?:const|function|interface|type|class) ${text}\\b`, 'm'),
        )
    }
  })

  it('names tests that there are', () => {
    for (const { file, names } of column(2).flatMap(testsOf)) {
      const text = read(file)
      expect(names.length, file).toBeGreaterThan(0)
      for (const name of names) expect(text.includes(`'${name}'`), `${file}: ${name}`).toBe(true)
    }
  })

  it('names cases that there are, and every golden one', () => {
    expect(named.filter((name) => !cases.has(name))).toEqual([])
    expect(vectorIndex.filter(({ id }) => !named.includes(`golden/${id}`)).map(({ id }) => id)).toEqual([])
  })

  it('names claims that there are, and every one', () => {
    expect(claimed.filter(({ ids }) => ids.length === 0)).toEqual([])
    const found = new Set(claimed.flatMap(({ ids }) => ids))
    expect(claims.filter((id) => !found.has(id))).toEqual([])
  })
})

describe.each(['docs/paper-notes.md', ...pagesIn('docs/mechanisms')])('%s', (path) => {
  const quoted = spans(read(path))

  it('names cases and experiments that there are', () => {
    const goldens = quoted.filter((span) => /^[AS]\d\./.test(span)).map((id) => `golden/${id}`)
    const others = quoted.filter((span) => /^(?:gates|golden|properties)\//.test(span))
    expect([...goldens, ...others].flatMap(expand).filter((id) => !cases.has(id))).toEqual([])
    const reproduced = quoted
      .map((span) => /^fep-moe reproduce ([a-z-]+)$/.exec(span)?.[1])
      .filter((name) => name !== undefined)
    expect(reproduced.filter((name) => !experiments.some((e) => e.name === name))).toEqual([])
  })
})
