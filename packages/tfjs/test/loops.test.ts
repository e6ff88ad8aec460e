import { erf, transpose } from '@fep-moe/core'
import { describe, expect, it } from 'vitest'
import { runCopy } from '../src/loops/copy.js'
import { fastErf, fastExp, fastSigmoid, fastTanh } from '../src/loops/exponential.js'
import { broadcastStrides, collapse, elementwiseNest } from '../src/loops/nest.js'
import { mendUtil } from '../src/runtime/packages.js'

describe('functions for single precision', () => {
  const cases = {
    exp: [fastExp, Math.exp, -110, 90],
    erf: [fastErf, erf, -5, 5],
    tanh: [fastTanh, Math.tanh, -12, 12],
    sigmoid: [fastSigmoid, (x: number) => 1 / (1 + Math.exp(-x)), -110, 40],
  } as const
  it.each(Object.entries(cases))('%s is good to 1e-9', (_, [fast, exact, low, high]) => {
    let worst = 0
    for (let i = 0; i <= 20000; i++) {
      const spread = low + ((high - low) * i) / 20000
      for (const x of [spread, spread * 1e-3, spread * 1e-9]) {
        const want = exact(x)
        worst = Math.max(worst, Math.abs(fast(x) - want) / Math.max(Math.abs(want), 1e-300))
      }
    }
    // erf stops at 4, where it is 1 − 1.5e-8: less than half a unit of single precision.
    expect(worst).toBeLessThan(fast === fastErf ? 2e-8 : 1e-9)
  })
  it('know NaN, infinities and zero', () => {
    const specials = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
    expect(specials.map(fastExp).map(Math.fround)).toEqual([Number.NaN, Number.POSITIVE_INFINITY, 0, 1])
    expect(specials.map(fastErf).map(Math.fround)).toEqual([Number.NaN, 1, -1, 0])
    expect(specials.map(fastTanh)).toEqual([Number.NaN, 1, -1, 0])
    expect(specials.map(fastSigmoid).map(Math.fround)).toEqual([Number.NaN, 1, 0, 0.5])
  })
})

describe('loop nests', () => {
  it('merge what every operand walks as one', () => {
    expect(
      elementwiseNest(
        [2, 3, 4],
        [
          [2, 3, 4],
          [2, 3, 4],
        ],
      ).sizes,
    ).toEqual([24])
    expect(
      elementwiseNest(
        [2, 3, 4],
        [
          [2, 3, 4],
          [1, 1, 4],
        ],
      ).sizes,
    ).toEqual([6, 4])
    expect(elementwiseNest([2, 1, 4], [[2, 1, 4], []]).strides).toEqual([[1], [0], [1]])
    expect(elementwiseNest([], [[], []]).sizes).toEqual([1])
  })
  it.each([
    [
      [70, 33],
      [1, 0],
    ],
    [
      [5, 4, 3],
      [2, 0, 1],
    ],
    [
      [5, 4, 3],
      [0, 2, 1],
    ],
    [
      [2, 3, 4, 5],
      [3, 1, 2, 0],
    ],
  ])('transpose %j by %j', (shape, perm) => {
    const data = Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => i)
    const want = transpose({ dtype: 'float32', shape, data }, perm)
    const strides = broadcastStrides(shape, shape)
    const nest = collapse(want.shape, [
      perm.map((p) => strides[p] as number),
      broadcastStrides(want.shape, want.shape),
    ])
    const got = new Float32Array(data.length)
    runCopy(nest, data, got)
    expect(got).toEqual(want.data)
  })
})

describe('node:util', () => {
  it('gets back what tfjs-node calls, where it is gone', () => {
    const util: Record<string, unknown> = { isArray: 1 }
    mendUtil(util)
    const { isNullOrUndefined } = util as { isNullOrUndefined(value: unknown): boolean }
    expect([null, undefined, 0, ''].map(isNullOrUndefined)).toEqual([true, true, false, false])
    expect(util.isArray).toBe(1)
  })
})
