/** Elementwise operators. */
import { ops, type Value } from '@fep-moe/core'
import { type Call, refuse, type Translation, type Translations } from '../call.js'

const unary =
  (f: (x: Value) => Value): Translation =>
  (call) => [f(call.value(0))]

const binary =
  (f: (a: Value, b: Value) => Value): Translation =>
  (call) => [f(call.value(0), call.value(1))]

/** ONNX's variadic operators, two operands at a time. */
const variadic = (call: Call, f: (a: Value, b: Value) => Value): Value => call.values().reduce(f)

const or = (a: Value, b: Value): Value => ops.not(ops.and(ops.not(a), ops.not(b)))

/** Both bounds are optional operands; ours are attributes. */
function clip(call: Call): Value {
  const x = call.value(0)
  const bound = (i: number) => (call.has(i) ? (call.numbers(i)[0] as number) : undefined)
  const [low, high] = [bound(1), bound(2)]
  if (low !== undefined && high !== undefined) return ops.clip(x, low, high)
  if (low !== undefined) return ops.max(x, low)
  return high === undefined ? x : ops.min(x, high)
}

export const elementwise: Translations = {
  Neg: unary(ops.neg),
  Exp: unary(ops.exp),
  Log: unary(ops.log),
  Sqrt: unary(ops.sqrt),
  Tanh: unary(ops.tanh),
  Sigmoid: unary(ops.sigmoid),
  Erf: unary(ops.erf),
  Sin: unary(ops.sin),
  Cos: unary(ops.cos),
  Not: unary(ops.not),
  Relu: unary(ops.relu),
  Softplus: unary(ops.softplus),
  Identity: unary(ops.stopGradient),
  Size: unary(ops.size),
  Abs: unary((x) => ops.max(x, ops.neg(x))),
  Reciprocal: unary((x) => ops.div(1, x)),
  Gelu: (call) =>
    call.text('approximate', 'none') === 'none'
      ? [ops.gelu(call.value(0))]
      : refuse('approximate = tanh; ours is exact'),
  // The converter narrows float64, so such a cast would do nothing.
  Cast: () => refuse('casts from or to float64'),
  Add: binary(ops.add),
  Sub: binary(ops.sub),
  Mul: binary(ops.mul),
  Div: binary(ops.div),
  Greater: binary(ops.greater),
  GreaterOrEqual: binary(ops.greaterOrEqual),
  Less: binary((a, b) => ops.greater(b, a)),
  LessOrEqual: binary((a, b) => ops.greaterOrEqual(b, a)),
  Equal: binary(ops.equal),
  And: binary(ops.and),
  Or: binary(or),
  Xor: binary((a, b) => ops.not(ops.equal(a, b))),
  Max: (call) => [variadic(call, ops.max)],
  Min: (call) => [variadic(call, ops.min)],
  Sum: (call) => [variadic(call, ops.add)],
  Mean: (call) => [ops.div(variadic(call, ops.add), call.count)],
  Where: (call) => [ops.where(call.value(0), call.value(1), call.value(2))],
  Clip: (call) => [clip(call)],
}
