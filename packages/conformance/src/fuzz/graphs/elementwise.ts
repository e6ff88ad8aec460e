/** Emitters of elementwise operators. */
import { ops } from '@fep-moe/core'
import type { Assembly, Known, Picks } from './assembly.js'
import type { Emitter } from './emitter.js'

type Unary = (x: Known['value']) => Known['value']

/** A float function; `most` bounds the result from the bound on the operand. */
const float =
  (f: Unary, most: (x: number) => number, limit = 100): Emitter =>
  (a, picks) => {
    const x = a.tamed(a.any(picks, 'float32'), limit)
    a.keep(f(x.value), most(x.most))
  }

/** A function of positive numbers: x² + ¼, or what max(x, 1/16) leaves. */
const positive =
  (f: Unary, most: (x: number) => number): Emitter =>
  (a, picks) => {
    const x = a.any(picks, 'float32')
    const above = picks.once(2) ? ops.max(x.value, 0.0625) : ops.add(ops.mul(x.value, x.value), 0.25)
    a.keep(f(above), most(x.most ** 2 + 1))
  }

/** Floats mostly, integers now and then. */
const number = (picks: Picks) => (picks.once(4) ? 'int32' : 'float32')

const binary =
  (
    f: (x: Known['value'], y: Known['value']) => Known['value'],
    most: (x: number, y: number) => number,
  ): Emitter =>
  (a, picks) => {
    const [x, y] = pair(a, picks, number(picks))
    a.keep(f(x.value, y.value), most(x.most, y.most))
  }

const compared =
  (f: (x: Known['value'], y: Known['value']) => Known['value']): Emitter =>
  (a, picks) => {
    const [x, y] = pair(a, picks, number(picks))
    a.keep(f(x.value, y.value), 1)
  }

/** Two operands that broadcast, in either order. */
function pair(a: Assembly, picks: Picks, dtype: 'float32' | 'int32' | 'bool'): [Known, Known] {
  const x = a.any(picks, dtype)
  const y = a.beside(picks, dtype, x.value.shape)
  return picks.once(2) ? [y, x] : [x, y]
}

const larger = (x: number, y: number) => Math.max(x, y)

export const elementwise = {
  Neg: (a, picks) => {
    const x = a.any(picks, number(picks))
    a.keep(ops.neg(x.value), x.most)
  },
  Exp: float(ops.exp, Math.exp, 5),
  Log: positive(ops.log, (x) => 3 + Math.log(x)),
  Sqrt: positive(ops.sqrt, Math.sqrt),
  Tanh: float(ops.tanh, () => 1),
  Sigmoid: float(ops.sigmoid, () => 1),
  Erf: float(ops.erf, () => 1),
  Sin: float(ops.sin, () => 1, 20),
  Cos: float(ops.cos, () => 1, 20),
  Add: binary(ops.add, (x, y) => x + y),
  Sub: binary(ops.sub, (x, y) => x + y),
  Mul: binary(ops.mul, (x, y) => x * y),
  Div: (a, picks) => {
    const dtype = number(picks)
    const [x, y] = pair(a, picks, dtype)
    // Integer division by zero is the one thing that no two executors agree on.
    if (dtype === 'int32') return a.keep(ops.div(x.value, ops.add(ops.mul(y.value, y.value), 1)), x.most)
    if (picks.once(3)) return a.keep(ops.div(x.value, y.value), Number.POSITIVE_INFINITY)
    a.keep(ops.div(x.value, ops.add(ops.mul(y.value, y.value), 0.25)), 4 * x.most)
  },
  Max: binary(ops.max, larger),
  Min: binary(ops.min, larger),
  Greater: compared(ops.greater),
  GreaterOrEqual: compared(ops.greaterOrEqual),
  Equal: (a, picks) => {
    const [x, y] = pair(a, picks, picks.once(4) ? 'bool' : number(picks))
    a.keep(ops.equal(x.value, y.value), 1)
  },
  And: (a, picks) => {
    const [x, y] = pair(a, picks, 'bool')
    a.keep(ops.and(x.value, y.value), 1)
  },
  Not: (a, picks) => a.keep(ops.not(a.any(picks, 'bool').value), 1),
  Where: (a, picks) => {
    const [x, y] = pair(a, picks, picks.once(4) ? 'bool' : number(picks))
    const shape = ops.equal(x.value, y.value).shape
    const c = a.beside(picks, 'bool', shape)
    a.keep(ops.where(c.value, x.value, y.value), larger(x.most, y.most))
  },
  Cast: (a, picks) => {
    const from = picks.from(['float32', 'int32', 'bool'] as const)
    const to = picks.from((['float32', 'int32', 'bool'] as const).filter((d) => d !== from))
    const x = a.any(picks, from)
    a.keep(ops.cast(x.value, to), to === 'bool' || from === 'bool' ? 1 : x.most)
  },
  StopGradient: (a, picks) => {
    const x = a.any(picks, number(picks))
    a.keep(ops.stopGradient(x.value), x.most)
  },
  Size: (a, picks) => a.keep(ops.size(a.any(picks, 'float32').value), 200),
  Relu: float(ops.relu, (x) => x),
  Gelu: float(ops.gelu, (x) => x + 1),
  Silu: float(ops.silu, (x) => x + 1),
  Softplus: float(ops.softplus, (x) => x + 1),
  Clip: (a, picks) => {
    const x = a.any(picks, 'float32')
    const low = picks.below(4) / 2 - 1.5
    a.keep(ops.clip(x.value, low, low + picks.below(4) / 2), 2)
  },
} satisfies Readonly<Record<string, Emitter>>
