import { createGate, preset, referenceBackend } from '@fep-moe/core'
import { describe, expect, it } from 'vitest'
import { judgeClaims, overhead, type Run } from '../src/index.js'
import { makeReport, readClaims } from '../src/report/index.js'

const settings = overhead.settings()
const backend = await referenceBackend()
const runs: Run[] = []
for (const condition of overhead.conditions)
  runs.push(await overhead.run(backend, { condition, seed: 42 }, settings))
const of = (condition: string) => runs.find((run) => run.condition === condition)?.metrics ?? {}

describe('overhead', () => {
  it('counts what a gate really has', () => {
    const gate = createGate(preset('paper-a/additive', { dim: 16, experts: 4 }))
    const drawn = Object.values(gate.init({ seed: 1 })).reduce((n, { data }) => n + data.length, 0)
    expect(of('additive').parameters16).toBe(drawn)
    expect(of('beta')).toMatchObject({ parameters16: 84, state16: 16, state4096: 4096 })
    expect(of('pi')).toMatchObject({ parameters16: 68, state16: 0 })
  })

  it('counts arithmetic: products, and little beside them', () => {
    const { flops4096 = 0 } = of('affinity')
    const product = 2 * 4096 * 64
    expect(flops4096 / product).toBeGreaterThanOrEqual(1)
    expect(flops4096 / product).toBeLessThan(1.05)
    expect((of('additive').flops4096 ?? 0) / (2 * 12 * 4096 ** 2)).toBeCloseTo(1, 1)
  })

  it('has verdicts, though it is one run, and a report without figures', () => {
    const results = {
      schemaVersion: 2,
      experiment: 'overhead',
      environment: { versions: {}, node: '20', os: 'os', cpu: 'cpu', threads: 1, commit: null },
      settings: { ...settings },
      runs,
      summary: overhead.summarize(runs, settings),
      bounds: overhead.bounds(settings),
    } as const
    const file = readClaims().find(({ experiment }) => experiment === 'overhead')
    if (!file) throw new Error('no claims')
    const judged = judgeClaims(file, results, overhead.metrics)
    expect(judged.map(({ id, verdict }) => [id, verdict])).toEqual(
      file.claims.map(({ id, verdict }) => [id, verdict]),
    )
    expect(makeReport(results, [file]).tables).toHaveLength(3)
  })

  it('refuses an unknown gate and settings of another experiment', async () => {
    const job = { condition: 'gamma', seed: 1 }
    await expect(overhead.run(backend, job, settings)).rejects.toMatchObject({ code: 'FEP_BAD_CONFIG' })
    expect(() => overhead.restore({ ...settings, batch: 1 })).toThrow(
      expect.objectContaining({ code: 'FEP_BAD_CONFIG' }),
    )
    expect(overhead.restore({ ...settings })).toEqual(settings)
  })
})
