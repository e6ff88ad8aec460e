import { describe, expect, it } from 'vitest'
import { crossEntropy, GraphBuilder, meanSquaredError, type RowWeights, type Value } from '../src/index.js'
import { evaluate, ints, wave } from './helpers.js'

const z = wave([4, 3])
const y = ints([2, 0, 1, 2])
const rows = [0, 1, 2, 3].map((r) => {
  const row = [...z.data.slice(3 * r, 3 * r + 3)]
  return Math.log(row.reduce((n, v) => n + Math.exp(v), 0)) - (row[y.data[r] as number] as number)
})

function loss(weights: number[] | undefined, divideBy?: 'rows' | 'weights'): number {
  const b = new GraphBuilder('g', { expandComposites: true })
  const options: RowWeights = {
    ...(weights ? { weights: b.constant(weights, [4]) } : {}),
    ...(divideBy ? { divideBy } : {}),
  }
  b.output('loss', crossEntropy(b.input('z', 'float32', [4, 3]), b.input('y', 'int32', [4]), options))
  return evaluate(b.build(), { z, y }).loss?.data[0] as number
}

describe('losses', () => {
  it('cross-entropy is the mean of −log softmax', () => {
    expect(loss(undefined)).toBeCloseTo(rows.reduce((n, v) => n + v, 0) / 4, 12)
  })

  it('masked rows do not count, or count in the divisor, as asked', () => {
    const kept = (rows[0] as number) + 2 * (rows[2] as number)
    expect(loss([1, 0, 2, 0])).toBeCloseTo(kept / 3, 12)
    expect(loss([1, 0, 2, 0], 'rows')).toBeCloseTo(kept / 4, 12)
    expect(loss([0, 0, 0, 0])).toBe(0)
  })

  it('mean squared error averages over every element', () => {
    const b = new GraphBuilder('g', { expandComposites: true })
    const [p, t] = ['p', 't'].map((name) => b.input(name, 'float32', [2, 3])) as [Value, Value]
    b.output('loss', meanSquaredError(p, t))
    const [a, c] = [wave([2, 3]), wave([2, 3], 5)]
    const want = [...a.data].reduce((n, v, i) => n + (v - (c.data[i] as number)) ** 2, 0) / 6
    expect(evaluate(b.build(), { p: a, t: c }).loss?.data[0]).toBeCloseTo(want, 12)
  })
})
