import { erf, type OpName } from '@fep-moe/core'
import { describe, expect, it } from 'vitest'
import { ACCURACY } from '../src/accuracy.js'
import type { Formula } from '../src/math/arithmetic.js'
import { erf as erfFormula } from '../src/math/error-function.js'
import { exp, log, sigmoid, tanh } from '../src/math/exponential.js'
import { evaluateFormula, type SingleOptions } from '../src/math/single-arithmetic.js'
import { cos, sin } from '../src/math/trigonometric.js'

/** Floats from..to: evenly spaced, and as many that are evenly spaced in their exponents. */
function* floats(from: number, to: number, count: number): Generator<number> {
  for (let i = 0; i <= count; i++) yield Math.fround(from + ((to - from) * i) / count)
  for (const end of [from, to]) {
    const [low, high] = [Math.log2(1e-30), Math.log2(Math.abs(end))]
    for (let i = 0; i <= count; i++) {
      const x = Math.fround(Math.sign(end) * 2 ** (low + ((high - low) * i) / count))
      if (x >= from && x <= to) yield x
    }
  }
}

const logistic = (x: number) => 1 / (1 + Math.exp(-x))

interface Swept {
  readonly op: OpName
  readonly formula: Formula
  readonly exact: (x: number) => number
  /** Where results are normal floats. */
  readonly ranges: readonly (readonly [number, number])[]
}

const SWEPT: readonly Swept[] = [
  {
    op: 'Exp',
    formula: exp,
    exact: Math.exp,
    ranges: [
      [-87, 88.7],
      [-1, 1],
    ],
  },
  {
    op: 'Log',
    formula: log,
    exact: Math.log,
    ranges: [
      [1e-30, 3e38],
      [0.25, 4],
      [0.99, 1.01],
    ],
  },
  {
    op: 'Sigmoid',
    formula: sigmoid,
    exact: logistic,
    ranges: [
      [-87, 100],
      [-4, 4],
    ],
  },
  {
    op: 'Tanh',
    formula: tanh,
    exact: Math.tanh,
    ranges: [
      [-100, 100],
      [-2, 2],
    ],
  },
  {
    op: 'Erf',
    formula: erfFormula,
    exact: erf,
    ranges: [
      [-10, 10],
      [-1.5, 1.5],
    ],
  },
  {
    op: 'Sin',
    formula: sin,
    exact: Math.sin,
    ranges: [
      [-5000, 5000],
      [-4, 4],
      [4000, 1e30],
    ],
  },
  {
    op: 'Cos',
    formula: cos,
    exact: Math.cos,
    ranges: [
      [-5000, 5000],
      [-4, 4],
      [4000, 1e30],
    ],
  },
]

/** What WGSL leaves open: contraction, and quotients that are off either way. */
const PROCESSORS: readonly SingleOptions[] = [
  {},
  { fused: true },
  { divisionError: 2.5 },
  { divisionError: -2.5, fused: true },
  { flushes: true },
]

const COUNT = 15_000

describe('what a shader computes, in single precision', () => {
  for (const { op, formula, exact, ranges } of SWEPT) {
    it(`${op} is within what is declared`, () => {
      const { ulp = 0, absolute = 0 } = ACCURACY[op] ?? {}
      for (const options of PROCESSORS) {
        const f = evaluateFormula(formula, options)
        let worst = { ratio: 0, x: 0 }
        for (const [from, to] of ranges) {
          for (const x of floats(from, to, COUNT)) {
            const want = exact(x)
            const ratio = Math.abs(f(x) - want) / (absolute + ulp * 2 ** -23 * Math.abs(want))
            if (want !== 0 && ratio > worst.ratio) worst = { ratio, x }
          }
        }
        expect(worst.ratio, `${JSON.stringify(options)} at ${worst.x}`).toBeLessThanOrEqual(1)
        // A bound that nothing comes near says too little.
        expect(worst.ratio).toBeGreaterThan(0.2)
      }
    })
  }
})

describe('at the ends of the range', () => {
  const at = (formula: Formula, ...xs: readonly number[]) => xs.map(evaluateFormula(formula))

  it('exponentials go to 0, 1 and infinity, and never to NaN', () => {
    expect(at(exp, -1000, -110, 0, 100, 1000)).toEqual([0, 0, 1, Infinity, Infinity])
    expect(at(sigmoid, -1000, 0, 1000)).toEqual([0, 0.5, 1])
    expect(at(tanh, -1000, -89, 0, 89, 1000)).toEqual([-1, -1, 0, 1, 1])
    expect(at(erfFormula, -1000, 0, 1000)).toEqual([-1, 0, 1])
  })

  it('a logarithm is −infinity at 0, NaN below, and right for subnormals', () => {
    expect(at(log, 0, -0, -1, Infinity, 1)).toEqual([-Infinity, -Infinity, Number.NaN, Infinity, 0])
    const tiny = Math.fround(1e-40)
    expect(Math.abs((at(log, tiny)[0] as number) - Math.log(tiny))).toBeLessThan(1e-5)
  })

  it('results of odd functions change their sign with the argument', () => {
    for (const formula of [tanh, erfFormula, sin]) {
      const f = evaluateFormula(formula)
      for (const x of floats(0.001, 5000, 500)) expect(f(-x)).toBe(-f(x))
    }
  })
})
