import { FepError } from '@fep-moe/core'
import { describe, expect, it } from 'vitest'
import { type DomainSwitch, domainSwitch, openDomainSwitch, resolveDomainSwitch } from '../src/index.js'

/** Element (d, t, b) of a batch's tokens. */
const at = (data: ArrayLike<number>, { steps, batch }: DomainSwitch, d: number, t: number, b: number) =>
  data[(d * steps + t) * batch + b] as number

describe('the domain-switch stream', () => {
  it('has the paper’s sizes', () => {
    const { x, targets } = openDomainSwitch({}, 42).next()
    expect([x.shape, x.dtype, x.data.length]).toEqual([[16, 12, 512], 'float32', 98_304])
    expect([targets.shape, targets.dtype, targets.data.length]).toEqual([[11, 512], 'int32', 5632])
  })

  it('aims at the expert of the domain of the next step, decoys never', () => {
    const task = resolveDomainSwitch({ batch: 100 })
    const { targets, startInFirst } = openDomainSwitch(task, 3).next()
    expect(startInFirst).toBeGreaterThan(0)
    for (let t = 0; t < 11; t++)
      for (let b = 0; b < 100; b++) {
        const start = b < startInFirst ? 0 : 1
        const next = t + 1 < task.switchAt ? start : 1 - start
        expect(targets.data[t * 100 + b]).toBe(2 * next)
      }
  })

  it('puts the signal on the half of the domain, and noise of the right size everywhere', () => {
    const stream = openDomainSwitch({}, 7)
    const { task } = stream
    // Sums over [half is the domain's][before or after the switch].
    const sums = [0, 1].map(() => [0, 1].map(() => ({ n: 0, total: 0, squares: 0 })))
    for (let i = 0; i < 10; i++) {
      const { x, startInFirst } = stream.next()
      for (let d = 0; d < task.dim; d++)
        for (let t = 0; t < task.steps; t++)
          for (let b = 0; b < task.batch; b++) {
            const start = b < startInFirst ? 0 : 1
            const domain = t < task.switchAt ? start : 1 - start
            const own = (d < task.dim / 2 ? 0 : 1) === domain ? 1 : 0
            const value = at(x.data, task, d, t, b)
            const cell = sums[own]?.[t < task.switchAt ? 0 : 1] as {
              n: number
              total: number
              squares: number
            }
            cell.n++
            cell.total += value
            cell.squares += value * value
          }
    }
    for (const [own, cells] of sums.entries())
      for (const { n, total, squares } of cells) {
        const mean = total / n
        // About 245,000 values per cell: five standard errors of the mean are .008, of the deviation .006.
        expect(Math.abs(mean - own)).toBeLessThan(0.008)
        expect(Math.abs(Math.sqrt(squares / n - mean * mean) - 0.8)).toBeLessThan(0.006)
      }
  })

  it('starts in either domain with equal probability, independently', () => {
    const stream = openDomainSwitch({ dim: 2 }, 11)
    const starts = Array.from({ length: 400 }, () => stream.next().startInFirst)
    const mean = starts.reduce((a, b) => a + b, 0) / starts.length
    const variance = starts.reduce((a, b) => a + (b - mean) ** 2, 0) / starts.length
    expect(Math.abs(mean - 256)).toBeLessThan(3) // binomial(512, 1/2): standard error .57
    expect(Math.abs(variance - 128)).toBeLessThan(40) // standard error 9
  })

  it('gives the same bytes for the same seed, others for another, and does not repeat itself', () => {
    const first = (seed: number) => openDomainSwitch({ batch: 8 }, seed).next().x.data.slice()
    expect(first(5)).toEqual(first(5))
    expect(first(5)).not.toEqual(first(6))
    const stream = openDomainSwitch({ batch: 8 }, 5)
    const a = stream.next().x.data.slice()
    expect(stream.next().x.data).not.toEqual(a)
  })

  it('reuses its arrays, as it says', () => {
    const stream = openDomainSwitch({ batch: 2 }, 0)
    expect(stream.next().x.data).toBe(stream.next().x.data)
  })

  it('works at its smallest size', () => {
    const { x, targets } = openDomainSwitch({ batch: 1, steps: 2, dim: 2, experts: 3, switchAt: 1 }, 1).next()
    expect([x.shape, targets.shape]).toEqual([
      [2, 2, 1],
      [1, 1],
    ])
  })

  it.each<[string, object, RegExp]>([
    ['an odd width', { dim: 15 }, /task\.dim is 15; accepted: an even number/],
    ['a switch beyond the end', { switchAt: 12 }, /task\.switchAt is 12; accepted: an integer in 1\.\.11/],
    ['no switch', { switchAt: 0 }, /task\.switchAt is 0/],
    ['an empty batch', { batch: 0 }, /task\.batch is 0/],
    ['half a step', { steps: 2.5 }, /task\.steps is 2\.5/],
    ['too few experts', { experts: 2 }, /task\.experts is 2/],
    ['no noise', { noise: 0 }, /task\.noise is 0; accepted: a finite number > 0/],
    ['a signal that is no number', { signal: 'loud' }, /task\.signal is 'loud'/],
    ['an unknown key', { noize: 1 }, /task\.noize is unknown here/],
  ])('refuses %s', (_, task, message) => {
    const open = () => openDomainSwitch(task, 1)
    expect(open).toThrow(message)
    expect(open).toThrow(expect.objectContaining({ code: 'FEP_BAD_CONFIG' }))
  })

  it('refuses a seed that is none', () => {
    expect(() => openDomainSwitch(domainSwitch, -1)).toThrow(FepError)
  })
})
