import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JudgedClaim } from '@fep-moe/experiments'
import { describe, expect, it } from 'vitest'
import { fepMoe, scratchFolder } from './command.js'

const area = scratchFolder()
const kept = join(import.meta.dirname, '../../../docs/results/ablation.json')
const run = (line: string) => fepMoe(line.split(' '), { cwd: area.path })
/** A folder with the kept results, changed. */
const folder = (name: string, change: (results: Record<string, unknown>) => unknown = (same) => same) => {
  mkdirSync(join(area.path, name), { recursive: true })
  const results = change(JSON.parse(readFileSync(kept, 'utf8')))
  writeFileSync(join(area.path, name, 'results.json'), JSON.stringify(results))
  return name
}

describe('fep-moe claims', () => {
  it('says that nothing was tested where nothing was run', async () => {
    const { status, stdout, stderr } = await run('claims --json')
    const claims = JSON.parse(stdout) as JudgedClaim[]
    expect(claims.length).toBeGreaterThan(40)
    expect(new Set(claims.map(({ verdict }) => verdict))).toEqual(new Set(['not tested']))
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  it('judges the experiments that were run', async () => {
    const { status, stdout, stderr } = await run(`claims --out ${folder('one')}`)
    expect(stdout).toMatch(/^ablation: \d+ hold, \d+ hold for accuracy only, \d+ differ$/m)
    expect(stdout).toMatch(/^language-model: \d+ not tested$/m)
    expect(stdout).toMatch(/^holds for accuracy only: The increase is 124-fold\.$/m)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  it('finds results in folders of a folder', async () => {
    folder('several/ablation')
    const { stdout, status } = await run('claims --out several --json')
    const claims = JSON.parse(stdout) as JudgedClaim[]
    expect(claims.find(({ id }) => id === 'ablation.super-additive')?.verdict).toBe('holds')
    expect(status).toBe(0)
  })

  it('exits with 1 and names a claim that has no verdict', async () => {
    const name = folder('lacking', (results) => ({ ...results, bounds: [] }))
    const { status, stdout, stderr } = await run(`claims --out ${name}`)
    expect(stderr).toMatch(/^no verdict: ablation\.stateless\. Found: .*the results lack bound:stateless/m)
    expect(stdout).toContain('4 without a verdict')
    expect(status).toBe(1)
  })

  it('says where a verdict is not the recorded one', async () => {
    const name = folder('other', (results) => {
      const rows = results.summary as { condition: string; metric: string; ours: { mean: number } }[]
      for (const row of rows)
        if (row.condition === 'ant' && row.metric === 'accuracyTransitionGain') row.ours.mean = 0.2
      return results
    })
    const { stdout } = await run(`claims --out ${name}`)
    expect(stdout).toContain('differs (recorded: holds for accuracy only): Anticipation alone gains nothing')
  })
})

describe('fep-moe report', () => {
  it('writes one report of all results', async () => {
    folder('all/ablation')
    const { status, stdout } = await run('report --out all')
    expect(stdout).toBe(`report: ${join(area.path, 'all', 'report.html')}\n`)
    expect(readFileSync(join(area.path, 'all', 'report.html'), 'utf8')).toContain('<section id="ablation">')
    expect(readFileSync(join(area.path, 'all', 'report.md'), 'utf8')).toContain('## Ablation of memory')
    expect(status).toBe(0)
  })
})

describe('results that are wrong', () => {
  const files: Readonly<Record<string, string>> = {
    truncated: '{"schemaVersion":2,',
    older: '{"schemaVersion":1}',
    list: '[]',
    empty: '',
  }
  it.each<[string, string, RegExp]>([
    ['claims --out nowhere', 'FEP_IO', /nowhere is not a folder/],
    ['report', 'FEP_IO', /fep-moe-results is not a folder/],
    ['claims --out truncated', 'FEP_BAD_ARGUMENT', /truncated\/results\.json is no JSON/],
    ['claims --out empty', 'FEP_BAD_ARGUMENT', /empty\/results\.json is no JSON/],
    ['claims --out older', 'FEP_BAD_ARGUMENT', /older\/results\.json\.schemaVersion is 1; accepted: 2/],
    ['claims --out list', 'FEP_BAD_ARGUMENT', /list\/results\.json\.schemaVersion is missing/],
    ['report --out truncated', 'FEP_BAD_ARGUMENT', /is no JSON/],
    ['report --out nothing', 'FEP_IO', /nothing holds no results/],
    ['report --out unknown', 'FEP_BAD_ARGUMENT', /no experiment is called 'other'/],
    ['report --out settings', 'FEP_BAD_CONFIG', /settings\.epochs is 'x'/],
    ['claims --out twice', 'FEP_BAD_ARGUMENT', /both results of ablation/],
    ['claims --out file', 'FEP_IO', /file is not a folder/],
    ['claims ablation', 'FEP_USAGE', /too many arguments/],
    ['claims --all', 'FEP_USAGE', /unknown option/],
    ['report --json', 'FEP_USAGE', /unknown option/],
  ])('fep-moe %s', async (line, code, message) => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(area.path, name), { recursive: true })
      writeFileSync(join(area.path, name, 'results.json'), text)
    }
    mkdirSync(join(area.path, 'nothing'), { recursive: true })
    writeFileSync(join(area.path, 'file'), '')
    folder('unknown', (results) => ({ ...results, experiment: 'other' }))
    folder('settings', (results) => ({
      ...results,
      settings: { ...(results.settings as object), epochs: 'x' },
    }))
    folder('twice')
    cpSync(join(area.path, 'twice', 'results.json'), join(area.path, folder('twice/again'), 'results.json'))
    const { status, stdout, stderr } = await run(line)
    expect(stderr).toMatch(new RegExp(`^error ${code}: [^\\n]+\\n$`))
    expect(stderr).toMatch(message)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  })
})
