/** The README's figures are those of the kept results, and those of the code's published table. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ablation, disagreements, markdownTable, parseResults } from '@fep-moe/experiments'
import { claimsSummary, makeReport, readClaims } from '@fep-moe/experiments/report'
import { describe, expect, it } from 'vitest'

const read = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8')
const results = parseResults(JSON.parse(read('docs/results/ablation.json')))

describe('README', () => {
  it('shows the table of docs/results/ablation.json', () => {
    const [table] = ablation.tables({ ...results, settings: ablation.restore(results.settings) })
    expect(read('README.md')).toContain(table && markdownTable(table))
  })

  it('begins with its Table 5', async () => {
    const { table5 } = await import(new URL('../scripts/table5.mjs', import.meta.url).href)
    const readme = read('README.md')
    expect(readme).toContain(table5(results))
    expect(readme.indexOf(table5(results))).toBeLessThan(readme.indexOf('## Reproduce the paper'))
  })

  it('shows the sizes that are kept', async () => {
    const { sizesTable } = await import(new URL('../scripts/sizes.mjs', import.meta.url).href)
    expect(read('README.md')).toContain(sizesTable())
  })

  it('shows the verdicts of that run', () => {
    expect(read('README.md')).toContain(claimsSummary(makeReport(results, readClaims()).claims))
  })

  it('shows a run in which every published figure agrees', () => {
    expect(results.settings).toMatchObject({ quick: false, epochs: 800, seeds: [42, 43, 44, 45, 46] })
    expect(disagreements(results.summary)).toEqual([])
  })
})
