import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseResults } from '@fep-moe/experiments'
import { describe, expect, it } from 'vitest'
import { fepMoe, scratchFolder } from './command.js'

const folder = scratchFolder()
const reproduce = (line: string, options: Partial<Parameters<typeof fepMoe>[1]> = {}) =>
  fepMoe(['reproduce', 'ablation', ...line.split(' ')], { cwd: folder.path, ...options })
const saved = (out: string) =>
  parseResults(JSON.parse(readFileSync(join(folder.path, out, 'results.json'), 'utf8')))

describe('fep-moe reproduce', () => {
  it('--list names the experiments', async () => {
    const { status, stdout } = await fepMoe(['reproduce', '--list'], { cwd: folder.path })
    expect(stdout).toMatch(/^ablation\n {2}Ablation of memory/)
    expect(status).toBe(0)
    const json = await fepMoe(['reproduce', '--list', '--json'], { cwd: folder.path })
    const listed = JSON.parse(json.stdout) as { name: string }[]
    expect(listed.map(({ name }) => name)).toEqual([
      'ablation',
      'beta-routing',
      'precision',
      'routing-entropy',
      'language-model',
      'overhead',
      'sensitivity',
      'expert-threshold',
      'switching-text',
      'past-the-paper',
    ])
  })

  it('--quick runs to the end on the reference, in the default folder', async () => {
    const started = performance.now()
    const { status, stdout, stderr } = await reproduce('--quick --backend reference')
    expect(performance.now() - started).toBeLessThan(55_000)
    expect(status).toBe(0)
    const path = join(folder.path, 'fep-moe-results', 'ablation', 'results.json')
    const page = join(folder.path, 'fep-moe-results', 'ablation', 'report.html')
    expect(stdout.endsWith(`\nresults: ${path}\nreport: ${page}\n`)).toBe(true)
    expect(readFileSync(page, 'utf8')).toContain('A quick run decides nothing.')
    expect(readFileSync(page.replace('.html', '.md'), 'utf8')).toContain('### Claims')
    expect(stdout).toContain('A quick run: these figures are not compared with the published ones.')
    expect(stdout).toMatch(/^condition +acc all +paper +acc t=5 +paper +mass t=5 +prototype/m)
    expect(stdout).toMatch(/^x_t only \(stateless\) +0\.9040 +0\.0062$/m)
    expect(stdout).not.toMatch(/probability/i)
    expect(stderr).toMatch(/^training 100 % {2}9\/9 runs/m)
    const results = saved('fep-moe-results/ablation')
    expect(results.settings).toMatchObject({ quick: true, seeds: [42] })
    expect(results.runs).toHaveLength(9)
    expect(results.summary.every((row) => row.agreement === null)).toBe(true)
  })

  it('gives the same results however many processes share the work; --json prints the file and nothing else', async () => {
    const common = '--quick --epochs 2 --seeds 3,1 --backend reference --json'
    const [one, three] = await Promise.all([
      reproduce(`${common} --workers 1 --out one`),
      reproduce(`${common} --workers 3 --out three`),
    ])
    expect([one.status, three.status]).toEqual([0, 0])
    expect(three.stdout).toBe(one.stdout)
    expect(readFileSync(join(folder.path, 'one', 'results.json'), 'utf8')).toBe(one.stdout)
    const { runs, environment } = parseResults(JSON.parse(one.stdout))
    expect(one.stdout).toMatch(/"accuracy": \[[\d., e-]+\]/)
    expect(runs.slice(0, 3).map((r) => [r.condition, r.seed])).toEqual([
      ['baseline', 3],
      ['baseline', 1],
      ['beta', 3],
    ])
    expect(environment.versions).toHaveProperty('@fep-moe/core')
  })

  it('--check exits with 1 and names the rows that do not agree', async () => {
    const { status, stdout, stderr } = await reproduce(
      '--check --epochs 1 --seeds 1 --backend onnx --out checked',
    )
    expect(status).toBe(1)
    expect(stderr).toMatch(/check failed: \d+ of \d+ published figures do not agree/)
    expect(stderr).toMatch(/^ {2}oracle accuracyAll: 0\.\d+, published 0\.994$/m)
    expect(stdout).toMatch(/^oracle .* NO$/m)
    expect(saved('checked').summary.some((row) => row.agreement === 'differs')).toBe(true)
  })

  it('falls back to a quick run on js where ONNX Runtime does not load, and says so in one line', async () => {
    const { status, stderr, stdout } = await reproduce('--epochs 1 --out fallback', {
      preload: 'hide-onnxruntime.mjs',
    })
    expect(status).toBe(0)
    expect(stderr.split('\n')[0]).toMatch(/^ONNX Runtime does not load on .*: running --quick on js$/)
    expect(stdout).toContain('ran on js')
    expect(saved('fallback').settings).toMatchObject({ quick: true, epochs: 1 })
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends on %s, with its workers, and leaves nothing',
    async (signal) => {
      let sent = false
      const { status, stderr } = await reproduce(`--backend reference --out interrupted/${signal}`, {
        onStderr: (text, kill) => {
          if (sent || !text.includes('training')) return
          sent = true
          setTimeout(() => kill(signal), 700)
        },
      })
      expect(stderr).toMatch(/interrupted; nothing was written\n$/)
      expect(status).toBe(signal === 'SIGINT' ? 130 : 143)
      expect(existsSync(join(folder.path, 'interrupted'))).toBe(false)
    },
    60_000,
  )

  it('reports a worker that dies, with a code', async () => {
    const { status, stdout, stderr } = await reproduce('--backend reference --out died', {
      preload: 'die-in-worker.mjs',
    })
    expect(stderr).toMatch(
      /error FEP_BACKEND_FAILED: the process that trained .+ with seed \d+ ended \(signal SIGKILL\)\n$/,
    )
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(existsSync(join(folder.path, 'died'))).toBe(false)
  })
})
