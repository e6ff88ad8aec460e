import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  accuracy,
  atStep,
  churn,
  entropy,
  expertsForCoverage,
  gateMass,
  jainIndex,
  load,
  normalizedEntropy,
  tensor,
} from '../src/index.js'
import { codeOf, ints } from './helpers.js'

describe('metrics', () => {
  const weights = tensor([
    [
      [0.7, 0.3],
      [0.4, 0.6],
    ],
  ])

  it('mass, accuracy, entropy, load and churn of a small case', () => {
    const targets = ints([0, 0], [1, 2])
    expect(gateMass(weights, targets)).toBeCloseTo(0.55, 6)
    expect(accuracy(weights, targets)).toBe(0.5)
    expect(churn(weights)).toBe(1)
    expect(
      load(
        tensor([
          [1, 0],
          [0.5, 0.5],
          [0, 0],
        ]),
      ),
    ).toMatchObject({ perExpert: [2 / 3, 1 / 3], mean: 0.5 })
    expect(entropy(tensor([[0.5, 0.5]]))).toBeCloseTo(Math.LN2, 6)
    expect(normalizedEntropy(tensor([[0.5, 0.5]]))).toBeCloseTo(1, 6)
    expect(normalizedEntropy(tensor([[1]]))).toBe(0)
  })

  it('ties go to the lower index', () => {
    expect(accuracy(tensor([[1, 1, 0]]), ints([0]))).toBe(1)
  })

  it('a step of a sequence', () => {
    expect([...atStep(weights, 1).data]).toEqual([...tensor([0.4, 0.6]).data])
    expect(atStep(ints([5, 6], [1, 2]), 0).data[0]).toBe(5)
  })

  it('K for coverage: certain is 1, hopeless is infinite, a cap caps', () => {
    expect(expertsForCoverage(0.99)).toBe(1)
    expect(expertsForCoverage(0)).toBe(Number.POSITIVE_INFINITY)
    expect(expertsForCoverage(0.5)).toBeCloseTo(6.6438561, 6)
    expect(expertsForCoverage(0.001, { cap: 4 })).toBe(4)
  })

  it('Jain index lies between 1/n and 1 and does not see the scale', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0.5, max: 4, noNaN: true }),
        (xs, s) => {
          const j = jainIndex(xs)
          expect(j).toBeGreaterThanOrEqual(1 / xs.length - 1e-9)
          expect(j).toBeLessThanOrEqual(1 + 1e-9)
          if (xs.some((x) => x > 1e-100)) expect(jainIndex(xs.map((x) => x * s))).toBeCloseTo(j, 9)
        },
      ),
    )
    expect(jainIndex([0, 0])).toBe(1)
  })

  it('refuse targets that do not fit', async () => {
    expect(await codeOf(() => gateMass(weights, ints([0])))).toBe('FEP_BAD_ARGUMENT')
    expect(await codeOf(() => atStep(weights, 2))).toBe('FEP_BAD_ARGUMENT')
    expect(await codeOf(() => churn(tensor([1])))).toBe('FEP_BAD_ARGUMENT')
  })
})
