/**
 * Bounds of sums and products. All of them are polynomials with coefficients 1 in their operands, whatever the order of
 * evaluation: with p taken on magnitudes, |p(x + δ) − p(x)| ≤ p(|x| + |δ|) − p(|x|), and n roundings in a row add
 * γ_n p(|x| + |δ|) (Higham, §3.1 and §3.5).
 */
import type { NdArray, PrimitiveAttrs, PrimitiveName } from '@fep-moe/core'
import { asFloats, type Bounded, bounded, evaluate, gamma, type Info, TINY } from './bounded.js'
import type { Rule } from './rule.js'

type Roundings<O extends PrimitiveName> = (
  inputs: readonly Bounded[],
  attrs: PrimitiveAttrs[O],
  infos: readonly Info[],
) => number

/** Doubles that only enter as magnitudes lose this much of them. */
const DOUBLES = 2 ** -48

const magnitudes = (x: Bounded, withError: boolean): NdArray =>
  x.dtype === 'float32'
    ? asFloats(
        x,
        Float64Array.from(x.data, (v, i) => Math.abs(v) + (withError ? (x.error[i] as number) : 0)),
      )
    : x

function multilinear<O extends PrimitiveName>(op: O, roundings: Roundings<O>): Rule {
  return (evaluation, inputs, given, infos) => {
    const attrs = given as PrimitiveAttrs[O]
    const on = (arrays: readonly NdArray[]) => evaluate(op, arrays, attrs, infos)
    const values = on(inputs)
    const least = on(inputs.map((x) => magnitudes(x, false)))
    const most = on(inputs.map((x) => magnitudes(x, true)))
    const n = roundings(inputs, attrs, infos)
    // Integers decide where elements go: one that is unknown leaves nothing known.
    const lost = inputs.some((x) => x.dtype !== 'float32' && x.error.some((e) => e > 0))
    return values.map((value, k) => {
      const [low, high] = [(least[k] as NdArray).data, (most[k] as NdArray).data]
      const error = Float64Array.from(high, (m, i) => {
        const rounding = n > 0 && m !== 0 ? (gamma(n) + DOUBLES) * m + n * TINY : 0
        const e = m - (low[i] as number) + rounding
        return lost || Number.isNaN(e) ? Number.POSITIVE_INFINITY : e
      })
      return bounded(evaluation, op, value, error)
    })
  }
}

/** Integer sums are exact, and unknown where a term is. */
const summed = (op: 'ReduceSum' | 'CumSum' | 'ScatterND' | 'ScatterElements', of: Rule): Rule => {
  return (evaluation, inputs, attrs, infos) => {
    if (inputs[0]?.dtype === 'float32') return of(evaluation, inputs, attrs, infos)
    const [value] = evaluate(op, inputs, attrs as never, infos) as [NdArray]
    const known = inputs.every((x) => x.error.every((e) => e === 0))
    const error = new Float64Array(value.data.length).fill(known ? 0 : Number.POSITIVE_INFINITY)
    return [bounded(evaluation, op, value, error)]
  }
}

const lengthOf = (x: Bounded | undefined, axis: number): number => (x as Bounded).shape.at(axis) as number

/** A product with a decay matrix takes powers of `a` first: T more roundings, and those of the power itself. */
const SCAN_EXTRA = 8

export const linear: Readonly<
  Record<
    'MatMul' | 'GroupedMatMul' | 'LinearScan' | 'ReduceSum' | 'CumSum' | 'ScatterND' | 'ScatterElements',
    Rule
  >
> = {
  MatMul: multilinear('MatMul', ([a]) => lengthOf(a, -1)),
  GroupedMatMul: multilinear('GroupedMatMul', ([x], { mode }) => lengthOf(x, mode === 'forward' ? 1 : 0)),
  LinearScan: multilinear('LinearScan', ([, b], { axis }) => {
    const steps = lengthOf(b, axis)
    return steps === 0 ? 0 : 2 * steps + SCAN_EXTRA
  }),
  ReduceSum: summed(
    'ReduceSum',
    multilinear('ReduceSum', ([x], { axes }) =>
      Math.max(axes.reduce((n, axis) => n * lengthOf(x, axis), 1) - 1, 0),
    ),
  ),
  CumSum: summed(
    'CumSum',
    multilinear('CumSum', ([x], { axis }) => lengthOf(x, axis)),
  ),
  ScatterND: summed(
    'ScatterND',
    multilinear('ScatterND', ([, indices]) => (indices as Bounded).data.length),
  ),
  ScatterElements: summed(
    'ScatterElements',
    multilinear('ScatterElements', ([, indices], { axis }) => lengthOf(indices, axis)),
  ),
}
