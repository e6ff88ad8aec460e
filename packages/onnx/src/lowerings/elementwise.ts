/** Elementwise operators. ONNX has them under the same names; the exceptions are about kernels that a dtype lacks. */
import type { OpName, PrimitiveName, ValueInfo } from '@fep-moe/core'
import type { Call, Lowering, LoweringTable } from '../emit/lowering.js'
import { DATA_TYPE } from '../emit/protobuf.js'
import type { GraphWriter } from '../emit/writer.js'

/** The ONNX operator of the same name, without attributes. */
function same<O extends PrimitiveName>(type: O): Lowering<O> {
  return ({ inputs, outputs }, w) => [w.op(type, inputs, {}, outputs[0])]
}

const isInt = <O extends OpName>({ inputInfos }: Call<O>) => inputInfos[0]?.dtype === 'int32'

/** An integer division by zero is a processor trap in native executors; here it gives 0, as on the reference. */
function divideInts({ inputs, outputs }: Call<'Div'>, w: GraphWriter): readonly string[] {
  const [a, b] = inputs as [string, string]
  const divisor = w.model.scalars.get(b)
  // −1 traps too: the quotient of the smallest integer does not fit.
  if (divisor !== undefined && divisor > 0) return [w.op('Div', [a, b], {}, outputs[0])]
  const [zero, one, minusOne] = [0, 1, -1].map((n) => w.constant('int32', [n], [])) as [
    string,
    string,
    string,
  ]
  const isZero = w.op('Equal', [b, zero])
  const isMinusOne = w.op('Equal', [b, minusOne])
  const safe = w.op('Where', [w.op('Or', [isZero, isMinusOne]), one, b])
  const quotient = w.op('Where', [isMinusOne, w.op('Neg', [a]), w.op('Div', [a, safe])])
  return [w.op('Where', [isZero, zero, quotient], {}, outputs[0])]
}

/** A bound by a constant is Relu or Clip: ONNX Runtime's Max and Min take twice as long. */
function bound(
  { inputs, inputInfos, outputs, outputInfos }: Call<'Max' | 'Min'>,
  w: GraphWriter,
  type: 'Max' | 'Min',
): readonly string[] {
  const out = outputInfos[0] as ValueInfo
  const at = inputs.findIndex(
    (name, i) => w.model.scalars.has(name) && inputInfos[1 - i]?.shape.length === out.shape.length,
  )
  if (out.dtype !== 'float32' || at < 0) return [w.op(type, inputs, {}, outputs[0])]
  const x = inputs[1 - at] as string
  const limit = w.model.scalars.get(inputs[at] as string) as number
  if (type === 'Max' && limit === 0) return [w.once(`relu(${x})`, () => w.op('Relu', [x], {}, outputs[0]))]
  // Clip without a bound stops at the largest finite number; infinity stays itself with an infinite one.
  const [low, high] = type === 'Max' ? [limit, Number.POSITIVE_INFINITY] : [Number.NEGATIVE_INFINITY, limit]
  return [w.op('Clip', [x, w.scalar(low), w.scalar(high)], {}, outputs[0])]
}

/**
 * The gradient of max(0, x) asks where x > 0, which is where max(0, x) > 0. With that, nothing else reads x, and ONNX
 * Runtime computes the bound inside the product that made x.
 */
function greater({ inputs, outputs }: Call<'Greater'>, w: GraphWriter): readonly string[] {
  const [a, b] = inputs as [string, string]
  const bounded = w.model.scalars.get(b) === 0 ? w.known(`relu(${a})`) : undefined
  return [w.op('Greater', [bounded ?? a, b], {}, outputs[0])]
}

/** ONNX Runtime's Where has no bool kernel: (c ∧ a) ∨ (¬c ∧ b). */
function whereBool({ inputs, outputs }: Call<'Where'>, w: GraphWriter): readonly string[] {
  const [c, a, b] = inputs as [string, string, string]
  return [w.op('Or', [w.op('And', [c, a]), w.op('And', [w.op('Not', [c]), b])], {}, outputs[0])]
}

export const elementwise = {
  Neg: same('Neg'),
  Exp: same('Exp'),
  Log: same('Log'),
  Sqrt: same('Sqrt'),
  Tanh: same('Tanh'),
  Sigmoid: same('Sigmoid'),
  Erf: same('Erf'),
  Sin: same('Sin'),
  Cos: same('Cos'),
  Not: same('Not'),
  Add: same('Add'),
  Sub: same('Sub'),
  Mul: same('Mul'),
  Div: (call, w) => (isInt(call) ? divideInts(call, w) : same('Div')(call, w)),
  Max: (call, w) => bound(call, w, 'Max'),
  Min: (call, w) => bound(call, w, 'Min'),
  Greater: greater,
  GreaterOrEqual: same('GreaterOrEqual'),
  Equal: same('Equal'),
  And: same('And'),
  Where: (call, w) => (call.outputInfos[0]?.dtype === 'bool' ? whereBool(call, w) : same('Where')(call, w)),
  Cast: ({ inputs, outputs, attrs }, w) => [w.op('Cast', inputs, { to: DATA_TYPE[attrs.to] }, outputs[0])],
  // It stops gradients, and there are none left: the result is the operand.
  StopGradient: ({ inputs }) => [inputs[0] as string],
  Size: ({ inputs, outputs }, w) => [
    w.op('Cast', [w.op('Size', inputs)], { to: DATA_TYPE.int32 }, outputs[0]),
  ],
} satisfies Partial<LoweringTable>
