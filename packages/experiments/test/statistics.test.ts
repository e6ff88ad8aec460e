import { describe, expect, it } from 'vitest'
import {
  agree,
  agreementCell,
  estimate,
  formatEstimate,
  type Metric,
  markdownTable,
  summarizer,
  textTable,
  tolerance,
} from '../src/index.js'

describe('estimates', () => {
  it('are the mean and the sample deviation', () => {
    expect(estimate([1, 2, 4])).toEqual({ mean: 7 / 3, std: expect.closeTo(Math.sqrt(7 / 3), 12), n: 3 })
    expect(estimate([0.5])).toEqual({ mean: 0.5, std: null, n: 1 })
  })
})

const accuracy: Metric = { label: 'accuracy', range: [0, 1] }
const at = (mean: number, std: number | null = null, n = 5) => ({ mean, std, n })

describe('agreement', () => {
  it('allows a hundredth of the range and not more where nothing spreads', () => {
    expect(agree(at(0.904), at(0.894), accuracy)).toBe('agrees')
    expect(agree(at(0.904), at(0.8939), accuracy)).toBe('differs')
    expect(agree(at(0.904), at(0.9141), accuracy)).toBe('differs')
    expect(agree(at(57), at(50), { label: 'of 1000', range: [0, 1000] })).toBe('agrees')
    expect(agree(at(0.03), at(0.01), { label: 'gain', range: [-2, 2], scale: 1 })).toBe('differs')
  })

  it('takes the published figure for the range where there is none', () => {
    const ratio: Metric = { label: 'ratio', range: null }
    expect(tolerance(at(120), at(124), ratio)).toBeCloseTo(1.24, 12)
  })

  it('allows three standard errors of the difference', () => {
    const [a, b] = [at(0.3, 0.03, 5), at(0.3, 0.04, 4)]
    expect(tolerance(a, b, accuracy)).toBeCloseTo(3 * Math.sqrt(0.0009 / 5 + 0.0016 / 4), 12)
    expect(agree(a, at(0.3 + 0.072, 0.04, 4), accuracy)).toBe('agrees')
    expect(agree(a, at(0.3 + 0.073, 0.04, 4), accuracy)).toBe('differs')
  })

  it('holds a published single run to three of our standard deviations and half its last digit', () => {
    const ours = at(0.89, 0.002)
    expect(agree(ours, at(0.8964, null, 1), accuracy)).toBe('agrees')
    expect(agree(ours, at(0.8966, null, 1), accuracy)).toBe('differs')
    expect(agree(ours, at(0.9, null, 1), accuracy, 2)).toBe('agrees')
    expect(agree(at(0.89, null, 1), at(0.89, null, 1), accuracy)).toBe('not decidable')
  })

  it('takes a single run of ours to spread as the published ones do', () => {
    expect(tolerance(at(0.5, null, 1), at(0.5, 0.1, 4), accuracy)).toBeCloseTo(
      3 * Math.sqrt(0.01 + 0.01 / 4),
      12,
    )
  })

  it('decides nothing where the band covers the whole range', () => {
    expect(agree(at(0.5, 0.5), at(0.5, 0.4), accuracy)).toBe('not decidable')
    expect(agree(at(0.5, 0.1), at(0.9, 0.1), accuracy)).toBe('differs')
  })

  it('is a row’s, unless nothing was published or comparing is off', () => {
    const published = { mean: 0.5, std: 0.01, n: 5, source: 'paper' } as const
    const { row } = summarizer({ m: accuracy })
    expect(row('c', 'm', [0.5, 0.52], published)).toMatchObject({
      agreement: 'agrees',
      difference: expect.closeTo(0.01),
    })
    expect(row('c', 'm', [0.9, 0.9], published).agreement).toBe('differs')
    expect(row('c', 'm', [0.5])).toMatchObject({ agreement: null, difference: null, tolerance: null })
    expect(summarizer({ m: accuracy }, { compare: false }).row('c', 'm', [0.5], published)).toMatchObject({
      published,
      agreement: null,
      difference: null,
    })
    expect(() => row('c', 'other', [1])).toThrow(expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }))
  })
})

describe('tables', () => {
  it('formats estimates', () => {
    expect(formatEstimate({ mean: 0.7484, std: 0.002, n: 5 })).toBe('0.748±0.002')
    expect(formatEstimate({ mean: 0.5, std: null, n: 1 }, { signed: true })).toBe('+0.500')
    expect(formatEstimate({ mean: -0.5, std: null, n: 1 }, { signed: true, digits: 1 })).toBe('-0.5')
    expect(formatEstimate(null)).toBe('')
  })

  it('say what cannot be said', () => {
    const published = (n: number) => ({ mean: 0.5, std: null, n, source: 'paper' }) as const
    const { row } = summarizer({ m: accuracy })
    expect(agreementCell([row('c', 'm', [0.5, 0.51], published(1))])).toBe('yes (one run)')
    expect(agreementCell([row('c', 'm', [0.5], published(1))])).toBe('not decidable at n = 1')
    expect(agreementCell([row('c', 'm', [0.5], published(5)), row('c', 'm', [0.9], published(5))])).toBe('NO')
    expect(agreementCell([row('c', 'm', [0.5]), undefined])).toBe('')
  })

  it('aligns text and writes Markdown', () => {
    const table = { title: 'T', columns: ['a', 'long'], rows: [['row', '1']], notes: ['note'] }
    expect(textTable(table)).toBe('T\na    long\n───  ────\nrow     1\nnote')
    expect(markdownTable(table)).toBe('**T**\n\n| a | long |\n| --- | ---: |\n| row | 1 |\n\nnote')
  })
})
