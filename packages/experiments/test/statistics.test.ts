import { describe, expect, it } from 'vitest'
import {
  agree,
  estimate,
  formatEstimate,
  markdownTable,
  summaryRow,
  textTable,
  tolerance,
} from '../src/index.js'

describe('estimates', () => {
  it('are the mean and the sample deviation', () => {
    expect(estimate([1, 2, 4])).toEqual({ mean: 7 / 3, std: expect.closeTo(Math.sqrt(7 / 3), 12), n: 3 })
    expect(estimate([0.5])).toEqual({ mean: 0.5, std: null, n: 1 })
  })
})

describe('agreement', () => {
  const at = (mean: number, std: number | null = null, n = 5) => ({ mean, std, n })

  it('allows .01 and not more where nothing spreads', () => {
    expect(agree(at(0.904), at(0.894))).toBe(true)
    expect(agree(at(0.904), at(0.8939))).toBe(false)
    expect(agree(at(0.904), at(0.9141))).toBe(false)
  })

  it('allows three standard errors of the difference', () => {
    const [a, b] = [at(0.3, 0.03, 5), at(0.3, 0.04, 4)]
    expect(tolerance(a, b)).toBeCloseTo(3 * Math.sqrt(0.0009 / 5 + 0.0016 / 4), 12)
    expect(agree(a, at(0.3 + 0.072, 0.04, 4))).toBe(true)
    expect(agree(a, at(0.3 + 0.073, 0.04, 4))).toBe(false)
  })

  it('is a row’s, unless nothing was published or comparing is off', () => {
    const published = { mean: 0.5, std: 0.01, n: 5, source: 'paper' } as const
    expect(summaryRow('c', 'm', [0.5, 0.52], published)).toMatchObject({
      agrees: true,
      difference: expect.closeTo(0.01),
    })
    expect(summaryRow('c', 'm', [0.9, 0.9], published).agrees).toBe(false)
    expect(summaryRow('c', 'm', [0.5], null)).toMatchObject({ agrees: null, difference: null })
    expect(summaryRow('c', 'm', [0.5], published, { compare: false })).toMatchObject({
      agrees: null,
      difference: null,
    })
  })
})

describe('tables', () => {
  it('formats estimates', () => {
    expect(formatEstimate({ mean: 0.7484, std: 0.002, n: 5 })).toBe('0.748±0.002')
    expect(formatEstimate({ mean: 0.5, std: null, n: 1 }, { signed: true })).toBe('+0.500')
    expect(formatEstimate({ mean: -0.5, std: null, n: 1 }, { signed: true, digits: 1 })).toBe('-0.5')
    expect(formatEstimate(null)).toBe('')
  })

  it('aligns text and writes Markdown', () => {
    const table = { title: 'T', columns: ['a', 'long'], rows: [['row', '1']], notes: ['note'] }
    expect(textTable(table)).toBe('T\na    long\n───  ────\nrow     1\nnote')
    expect(markdownTable(table)).toBe('**T**\n\n| a | long |\n| --- | ---: |\n| row | 1 |\n\nnote')
  })
})
