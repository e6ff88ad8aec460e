/** Bounds of elementwise operators: Lipschitz constants over the interval an operand may lie in, plus rounding. */
import type { NdArray, OpName, PrimitiveName } from '@fep-moe/core'
import { type Bounded, bounded, broadcast, type Evaluation, evaluate, TINY, ULP, UNIT } from './bounded.js'
import { distance, isSettled, slackOf } from './decide.js'
import type { Rule } from './rule.js'

/** Correct rounding of a result that is off by e already. A zero that is exact stays one. */
const rounded = (y: number, e: number): number =>
  y === 0 && e === 0 ? 0 : e + UNIT * (Math.abs(y) + e) + TINY
/** Elementary functions: executors promise four units in the last place. */
const elementary = (y: number, e: number): number => e + 4 * ULP * (Math.abs(y) + e) + TINY

/** f(x) with |x̂ − x| ≤ e ↦ bound on the result. */
const float =
  (op: PrimitiveName, bound: (x: number, e: number, y: number) => number, exactInt = false): Rule =>
  (evaluation, [x], attrs, infos) => {
    const operand = x as Bounded
    const result = evaluate(op, [operand], attrs as never, infos)[0] as NdArray
    const error = Float64Array.from(operand.error, (e, i) =>
      e === Number.POSITIVE_INFINITY || (exactInt && operand.dtype !== 'float32')
        ? e
        : bound(operand.data[i] as number, e, result.data[i] as number),
    )
    return [bounded(evaluation, op, result, error)]
  }

/** Where the slope falls with the distance from 0, it is largest at the nearest point of the interval. */
const nearest = (x: number, e: number): number => Math.max(0, Math.abs(x) - e)
const logisticSlope = (z: number): number => 1 / (2 + 2 * Math.cosh(z))

const binary =
  (op: PrimitiveName, bound: (x: number, ex: number, y: number, ey: number, z: number) => number): Rule =>
  (evaluation, [a, b], attrs, infos) => {
    const result = evaluate(op, [a as Bounded, b as Bounded], attrs as never, infos)[0] as NdArray
    const [x, y] = [a, b].map((operand) => broadcast(operand as Bounded, result.shape)) as [Bounded, Bounded]
    const error = Float64Array.from(x.error, (ex, i) => {
      const ey = y.error[i] as number
      if (ex + ey === Number.POSITIVE_INFINITY) return ex + ey
      if (result.dtype !== 'float32') return 0
      return bound(x.data[i] as number, ex, y.data[i] as number, ey, result.data[i] as number)
    })
    return [bounded(evaluation, op, result, error)]
  }

/** The larger of two is off by no more than the one that may be chosen. */
const chosen =
  (sign: 1 | -1) =>
  (x: number, ex: number, y: number, ey: number): number => {
    if (sign * (x - y) > ex + ey) return ex
    return sign * (y - x) > ex + ey ? ey : Math.max(ex, ey)
  }

const compared =
  (op: 'Greater' | 'GreaterOrEqual' | 'Equal'): Rule =>
  (evaluation, [a, b], attrs, infos) => {
    const result = evaluate(op, [a as Bounded, b as Bounded], attrs as never, infos)[0] as NdArray
    const [x, y] = [a, b].map((operand) => broadcast(operand as Bounded, result.shape)) as [Bounded, Bounded]
    const error = new Float64Array(result.data.length)
    for (let i = 0; i < error.length; i++) {
      if (isSettled(x, i, y, i)) continue
      error[i] = Number.POSITIVE_INFINITY
      const slack = slackOf(x, i, y, i)
      if (slack < Number.POSITIVE_INFINITY) evaluation.note(op, distance(x, i, y, i), slack)
    }
    return [bounded(evaluation, op, result, error)]
  }

/** False and anything is false. */
const and: Rule = (evaluation, [a, b], attrs, infos) => {
  const result = evaluate('And', [a as Bounded, b as Bounded], attrs as never, infos)[0] as NdArray
  const [x, y] = [a, b].map((operand) => broadcast(operand as Bounded, result.shape)) as [Bounded, Bounded]
  const isFalse = (v: Bounded, i: number) => v.error[i] === 0 && v.data[i] === 0
  const error = Float64Array.from(x.error, (e, i) =>
    isFalse(x, i) || isFalse(y, i) ? 0 : e + (y.error[i] as number),
  )
  return [bounded(evaluation, 'And', result, error)]
}

const where: Rule = (evaluation, inputs, attrs, infos) => {
  const result = evaluate('Where', inputs, attrs as never, infos)[0] as NdArray
  const [c, x, y] = inputs.map((v) => broadcast(v, result.shape)) as [Bounded, Bounded, Bounded]
  const branch = (i: number) => (c.data[i] ? x : y)
  const error = Float64Array.from(c.error, (e, i) => e + (branch(i).error[i] as number))
  const origin = Int32Array.from(c.error, (_, i) => branch(i).origin[i] as number)
  return [{ ...bounded(evaluation, 'Where', result, error), origin }]
}

const cast: Rule = (evaluation, [x], attrs, infos) => {
  const operand = x as Bounded
  const { to } = attrs as { to: string }
  const result = evaluate('Cast', [operand], attrs as never, infos)[0] as NdArray
  const error = Float64Array.from(operand.error, (e, i) => {
    const v = operand.data[i] as number
    if (e === Number.POSITIVE_INFINITY) return e
    if (to === 'float32') return operand.dtype === 'float32' ? e : e + castError(v)
    return e === 0 && Math.abs(v) < 2 ** 31 ? 0 : discreteError(evaluation, v, e, to)
  })
  return [bounded(evaluation, 'Cast', result, error)]
}

/** Integers of up to 24 bits fit float32. */
const castError = (v: number): number => (Math.abs(v) <= 2 ** 24 ? 0 : UNIT * Math.abs(v))

/** Truncation is monotone: where both ends of the interval agree, all of it does. */
function discreteError(evaluation: Evaluation, v: number, e: number, to: string): number {
  const settled =
    to === 'bool' ? Math.abs(v) > e : Math.abs(v) + e < 2 ** 31 && Math.trunc(v - e) === Math.trunc(v + e)
  if (settled) return 0
  const margin = to === 'bool' ? Math.abs(v) : Math.min(v - Math.floor(v), Math.ceil(v) - v)
  evaluation.note('Cast', margin, e)
  return Number.POSITIVE_INFINITY
}

type Elementwise = Extract<
  OpName,
  | 'Neg'
  | 'Exp'
  | 'Log'
  | 'Sqrt'
  | 'Tanh'
  | 'Sigmoid'
  | 'Erf'
  | 'Sin'
  | 'Cos'
  | 'Add'
  | 'Sub'
  | 'Mul'
  | 'Div'
  | 'Max'
  | 'Min'
  | 'Greater'
  | 'GreaterOrEqual'
  | 'Equal'
  | 'And'
  | 'Not'
  | 'Where'
  | 'Cast'
>

export const elementwise: Readonly<Record<Elementwise, Rule>> = {
  Neg: float('Neg', (_x, e) => e, true),
  // Far below 0, where eˣ is 0, an interval may be wide and the growth over it infinite.
  Exp: float('Exp', (x, e, y) => elementary(y, e > 1 ? Math.exp(x + e) - y : y * Math.expm1(e))),
  Log: float('Log', (x, e, y) => (x > e ? elementary(y, -Math.log1p(-e / x)) : Number.POSITIVE_INFINITY)),
  Sqrt: float('Sqrt', (x, e, y) => (x >= e ? rounded(y, y - Math.sqrt(x - e)) : Number.POSITIVE_INFINITY)),
  Tanh: float('Tanh', (x, e, y) => elementary(y, e / Math.cosh(Math.min(nearest(x, e), 300)) ** 2)),
  Sigmoid: float('Sigmoid', (x, e, y) => elementary(y, e * logisticSlope(Math.min(nearest(x, e), 300)))),
  Erf: float('Erf', (x, e, y) =>
    elementary(y, (2 / Math.sqrt(Math.PI)) * e * Math.exp(-(nearest(x, e) ** 2))),
  ),
  // Reducing the argument leaves an absolute error; near a zero it is no longer small beside the result.
  Sin: float('Sin', (_x, e, y) => elementary(y, Math.min(e, 2)) + ULP),
  Cos: float('Cos', (_x, e, y) => elementary(y, Math.min(e, 2)) + ULP),
  Add: binary('Add', (_x, ex, _y, ey, z) => rounded(z, ex + ey)),
  Sub: binary('Sub', (_x, ex, _y, ey, z) => rounded(z, ex + ey)),
  Mul: binary('Mul', (x, ex, y, ey, z) => rounded(z, Math.abs(x) * ey + Math.abs(y) * ex + ex * ey)),
  Div: binary('Div', (_x, ex, y, ey, z) =>
    Math.abs(y) > ey ? rounded(z, (ex + Math.abs(z) * ey) / (Math.abs(y) - ey)) : Number.POSITIVE_INFINITY,
  ),
  Max: binary('Max', chosen(1)),
  Min: binary('Min', chosen(-1)),
  Greater: compared('Greater'),
  GreaterOrEqual: compared('GreaterOrEqual'),
  Equal: compared('Equal'),
  And: and,
  Not: float('Not', (_x, e) => e, true),
  Where: where,
  Cast: cast,
}
