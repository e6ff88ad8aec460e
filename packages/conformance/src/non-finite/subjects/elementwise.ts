/** Elementwise operators. */
import { ops, type Tensor, type Value } from '@fep-moe/core'
import { EXACT, type Tolerance } from '../../frame/case.js'
import { b, f, fill, mapped } from '../../frame/data.js'
import { type FloatOp, type Subject, type SubjectsOf, subject } from '../subject.js'

type Elementwise = Extract<
  FloatOp,
  | ('Neg' | 'Exp' | 'Log' | 'Sqrt' | 'Tanh' | 'Sigmoid' | 'Erf' | 'Sin' | 'Cos' | 'Cast' | 'StopGradient')
  | ('Add' | 'Sub' | 'Mul' | 'Div' | 'Max' | 'Min' | 'Greater' | 'GreaterOrEqual' | 'Equal' | 'Where')
  | ('Relu' | 'Gelu' | 'Silu' | 'Softplus' | 'Clip')
>

/** Longer than a vector register and no multiple of one: kernels treat the rest otherwise. */
const LENGTH = 37
const x = fill([LENGTH], (k) => 0.25 + ((k * 7) % 11) / 4)
/** Equal to x in places, the middle one among them. */
const y = mapped(x, (v, k) => (k % 3 === 0 ? v : 2 - v / 2))

const unary = (body: (x: Value) => Value, formula: (x: number) => number, tolerance?: Tolerance): Subject =>
  subject(
    '37-elements',
    { x },
    (v) => ({ y: body(v.x) }),
    (feeds) => ({ y: mapped(feeds.x, formula) }),
    tolerance && { tolerance },
  )

const binary = (body: (a: Value, b: Value) => Value, formula: (a: number, b: number) => number): Subject =>
  subject(
    '37-elements',
    { a: x, b: y },
    (v) => ({ y: body(v.a, v.b) }),
    (feeds) => ({ y: mapped(feeds.a, (p, k) => formula(p, feeds.b.data[k] as number)) }),
  )

/** A row meets every row of a matrix. */
const broadcast = (body: (a: Value, b: Value) => Value, formula: (a: number, b: number) => number): Subject =>
  subject(
    'broadcast',
    { a: fill([3, 4], (k) => k - 4.5), b: f([1.5, -2, 0.5, 3]) },
    (v) => ({ y: body(v.a, v.b) }),
    (feeds) => ({ y: mapped(feeds.a, (p, k) => formula(p, feeds.b.data[k % 4] as number)) }),
  )

const comparison = (body: (a: Value, b: Value) => Value, holds: (a: number, b: number) => boolean): Subject =>
  subject(
    '37-elements',
    { a: x, b: y },
    (v) => ({ y: body(v.a, v.b) }),
    (feeds) => ({ y: b(Array.from(feeds.a.data, (p, k) => holds(p, feeds.b.data[k] as number))) }),
  )

/** One operand is a constant: executors have kernels of their own for that. */
const bounded = (what: string, body: (x: Value) => Value, formula: (x: number) => number): Subject => ({
  ...unary(body, formula, EXACT),
  what,
})

const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v))

/** Only at whole numbers, and where it is ±1: digits are the business of the operator cases. */
const erfTable = new Map([
  [0, 0],
  [1, 0.8427007929497149],
  [2, 0.9953222650189527],
])
const erf = (v: number): number =>
  Number.isNaN(v) ? v : Math.abs(v) > 6 ? Math.sign(v) : Math.sign(v) * (erfTable.get(Math.abs(v)) as number)
const whole: Tensor = fill([LENGTH], (k) => (k % 5) - 2)

export const elementwise: SubjectsOf<Elementwise> = {
  Neg: [unary(ops.neg, (v) => -v, EXACT)],
  Exp: [unary(ops.exp, Math.exp)],
  Log: [unary(ops.log, Math.log)],
  Sqrt: [unary(ops.sqrt, Math.sqrt)],
  Tanh: [unary(ops.tanh, Math.tanh)],
  Sigmoid: [unary(ops.sigmoid, sigmoid)],
  Erf: [
    subject(
      '37-elements',
      { x: whole },
      (v) => ({ y: ops.erf(v.x) }),
      (feeds) => ({ y: mapped(feeds.x, erf) }),
    ),
  ],
  Sin: [unary(ops.sin, Math.sin)],
  Cos: [unary(ops.cos, Math.cos)],
  // To int32 it is undefined, in ONNX as in C.
  Cast: [
    subject(
      'to-bool',
      { x: fill([LENGTH], (k) => (k % 2) * 1.5) },
      (v) => ({ y: ops.cast(v.x, 'bool') }),
      (feeds) => ({ y: b(Array.from(feeds.x.data, (v) => v !== 0)) }),
    ),
  ],
  StopGradient: [
    unary(
      (v) => ops.stopGradient(v),
      (v) => v,
      EXACT,
    ),
  ],
  Add: [binary(ops.add, (a, c) => a + c), broadcast(ops.add, (a, c) => a + c)],
  Sub: [binary(ops.sub, (a, c) => a - c)],
  Mul: [binary(ops.mul, (a, c) => a * c), broadcast(ops.mul, (a, c) => a * c)],
  Div: [binary(ops.div, (a, c) => a / c)],
  Max: [
    binary(ops.max, Math.max),
    broadcast(ops.max, Math.max),
    bounded(
      'with-0',
      (v) => ops.max(0, v),
      (v) => Math.max(0, v),
    ),
    bounded(
      'with-1',
      (v) => ops.max(v, 1),
      (v) => Math.max(1, v),
    ),
  ],
  Min: [
    binary(ops.min, Math.min),
    broadcast(ops.min, Math.min),
    bounded(
      'with-1',
      (v) => ops.min(1, v),
      (v) => Math.min(1, v),
    ),
  ],
  Greater: [
    comparison(ops.greater, (a, c) => a > c),
    subject(
      'with-0',
      { x: mapped(x, (v) => v - 1.5) },
      (v) => ({ y: ops.greater(v.x, 0) }),
      (feeds) => ({ y: b(Array.from(feeds.x.data, (v) => v > 0)) }),
    ),
  ],
  GreaterOrEqual: [comparison(ops.greaterOrEqual, (a, c) => a >= c)],
  Equal: [comparison(ops.equal, (a, c) => a === c)],
  Where: [
    subject(
      'both-branches',
      { c: b(Array.from({ length: LENGTH }, (_, k) => k % 2 === 0)), x, y },
      (v) => ({ z: ops.where(v.c, v.x, v.y) }),
      (feeds) => ({ z: mapped(feeds.x, (v, k) => (feeds.c.data[k] ? v : (feeds.y.data[k] as number))) }),
      { tolerance: EXACT },
    ),
  ],
  Relu: [unary(ops.relu, (v) => Math.max(0, v), EXACT)],
  Gelu: [
    subject(
      '37-elements',
      { x: mapped(whole, (v) => v * Math.SQRT2) },
      (v) => ({ y: ops.gelu(v.x) }),
      (feeds) => ({
        y: mapped(feeds.x, (v) => {
          const z = v / Math.SQRT2
          return (v / 2) * (1 + erf(Number.isFinite(z) ? Math.round(z) : z))
        }),
      }),
    ),
  ],
  Silu: [unary(ops.silu, (v) => v * sigmoid(v))],
  Softplus: [unary(ops.softplus, (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))))],
  Clip: [
    unary(
      (v) => ops.clip(v, 0.5, 2),
      (v) => Math.min(Math.max(v, 0.5), 2),
      EXACT,
    ),
  ],
}
