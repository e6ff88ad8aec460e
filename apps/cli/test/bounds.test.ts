import { describe, expect, it } from 'vitest'
import { fepMoe, scratchFolder } from './command.js'

const folder = scratchFolder()
const bounds = (line: string) => fepMoe(['bounds', ...line.split(' ').filter(Boolean)], { cwd: folder.path })

interface Printed {
  readonly task: string
  readonly sequences: number
  readonly seed: number
  readonly settings: Record<string, unknown>
  readonly bound: Record<string, Record<string, { mean: number; standardError: number }>>
}

describe('fep-moe bounds', () => {
  it('lists the tasks', async () => {
    const { status, stdout } = await bounds('')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^renewal {16}durations of 4 to 8 steps/m)
    const listed = JSON.parse((await bounds('--json')).stdout) as { name: string; settings: object }[]
    expect(listed.map(({ name }) => name)).toEqual([
      'fixed',
      'jittered',
      'geometric',
      'renewal',
      'cued',
      'gradual',
      'unreliable',
      'long',
      'continual',
      'alternating-alphabets',
    ])
    expect(listed[3]?.settings).toMatchObject({ steps: 48, duration: { kind: 'uniform', least: 4, most: 8 } })
  })

  it('prints a bound with its standard error, the same for the same seed', async () => {
    const line = 'renewal --n 2000 --seed 3 --json'
    const first = await bounds(line)
    expect(first.status).toBe(0)
    const found = JSON.parse(first.stdout) as Printed
    expect(found).toMatchObject({ task: 'renewal', sequences: 2000, seed: 3, settings: { successor: 0.9 } })
    const { accuracy, logLoss } = found.bound.all as Printed['bound'][string]
    expect(Math.abs((accuracy?.mean as number) - 0.848)).toBeLessThan(0.005)
    expect(Math.abs((logLoss?.mean as number) - 0.378)).toBeLessThan(0.01)
    expect(accuracy?.standardError).toBeLessThan(0.0015)
    expect((await bounds(line)).stdout).toBe(first.stdout)
    expect((await bounds('renewal --n 2000 --json')).stdout).not.toBe(first.stdout)
  })

  it('prints every task as text', async () => {
    for (const [name, metric] of [
      ['unreliable', 'logLoss'],
      ['continual', 'squaredError'],
      ['alternating-alphabets', 'bits'],
    ] as const) {
      const { status, stdout } = await bounds(`${name} --n 20`)
      expect(status).toBe(0)
      expect(stdout).toMatch(new RegExp(`^\\w+ +${metric} +\\d\\.\\d{5} ± \\d\\.\\d{5}$`, 'm'))
    }
  })
})
