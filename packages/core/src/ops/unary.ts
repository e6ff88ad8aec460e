/** Elementwise operators of one operand. y is the output, g its gradient. */
import type { Value } from '../graph/builder.js'
import { cast, cos, div, exp, mul, neg, sin, sub } from '../graph/expressions.js'
import type { Primitive, PrimitiveTable } from './definition.js'
import { erf } from './erf.js'
import { count, expectDType } from './rules.js'

type Unary = 'Neg' | 'Exp' | 'Log' | 'Sqrt' | 'Tanh' | 'Sigmoid' | 'Erf' | 'Sin' | 'Cos'

/** Flops per element of a transcendental, as a nominal figure for cost estimates. */
const TRANSCENDENTAL = 8

function float<O extends Unary>(
  spec: string,
  f: (x: number) => number,
  grad: (g: Value, y: Value, x: Value) => Value,
  flops = TRANSCENDENTAL,
): Primitive<O> {
  return {
    spec,
    arity: [1, 1],
    infer: ([x]) => {
      expectDType(x, 0, 'float32', ...(spec.startsWith('ONNX Neg') ? (['int32'] as const) : []))
      return [x as NonNullable<typeof x>]
    },
    grad: ({ inputs, outputs, grads }) => [grad(grads[0] as Value, outputs[0] as Value, inputs[0] as Value)],
    eval: ([x], _attrs, [info], scope) => {
      const out = scope.make((info as { dtype: 'float32' }).dtype, (x as NonNullable<typeof x>).shape)
      const data = (x as NonNullable<typeof x>).data
      for (let i = 0; i < data.length; i++) out.data[i] = f(data[i] as number)
      return [out]
    },
    flops: ([x]) => flops * count(x),
  }
}

/** 1/(1+e^−x), without overflow on either side. */
export const logistic = (x: number): number =>
  x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))

export const unary: Pick<PrimitiveTable, Unary | 'Not' | 'Cast' | 'StopGradient' | 'Size'> = {
  Neg: float(
    'ONNX Neg-13',
    (x) => -x,
    (g) => neg(g),
    1,
  ),
  Exp: float('ONNX Exp-13', Math.exp, (g, y) => mul(g, y)),
  Log: float('ONNX Log-13', Math.log, (g, _y, x) => div(g, x)),
  Sqrt: float('ONNX Sqrt-13', Math.sqrt, (g, y) => div(g, mul(y, 2)), 1),
  Tanh: float('ONNX Tanh-13', Math.tanh, (g, y) => mul(g, sub(1, mul(y, y)))),
  Sigmoid: float('ONNX Sigmoid-13', logistic, (g, y) => mul(g, mul(y, sub(1, y)))),
  // 2/√π e^(−x²), with the factor in the exponent: one pass over the elements less.
  Erf: float('ONNX Erf-13', erf, (g, _y, x) => mul(g, exp(sub(Math.log(2 / Math.sqrt(Math.PI)), mul(x, x))))),
  Sin: float('ONNX Sin-7', Math.sin, (g, _y, x) => mul(g, cos(x))),
  Cos: float('ONNX Cos-7', Math.cos, (g, _y, x) => neg(mul(g, sin(x)))),
  Not: {
    spec: 'ONNX Not-1',
    arity: [1, 1],
    infer: ([x]) => {
      expectDType(x, 0, 'bool')
      return [x as NonNullable<typeof x>]
    },
    grad: null,
    eval: ([x], _attrs, _infos, scope) => {
      const out = scope.make('bool', (x as NonNullable<typeof x>).shape)
      for (let i = 0; i < out.data.length; i++) out.data[i] = (x as NonNullable<typeof x>).data[i] ? 0 : 1
      return [out]
    },
    flops: ([x]) => count(x),
  },
  Cast: {
    spec: 'ONNX Cast-21 between float32, int32 and bool',
    arity: [1, 1],
    infer: ([x], { to }) => [{ dtype: to, shape: (x as NonNullable<typeof x>).shape }],
    // A float-to-float cast is no node, so every Cast leaves or enters a discrete dtype: no gradient passes.
    grad: ({ inputs, attrs }) => [
      (inputs[0] as Value).dtype === attrs.to ? cast(inputs[0] as Value, attrs.to) : undefined,
    ],
    eval: ([x], { to }, _infos, scope) => {
      const out = scope.make(to, (x as NonNullable<typeof x>).shape)
      const data = (x as NonNullable<typeof x>).data
      for (let i = 0; i < data.length; i++)
        out.data[i] =
          to === 'bool'
            ? Number(data[i] !== 0)
            : to === 'int32'
              ? Math.trunc(data[i] as number)
              : (data[i] as number)
      return [out]
    },
    flops: ([x]) => count(x),
  },
  StopGradient: {
    spec: 'identity forwards (ONNX Identity-21), gradient zero',
    arity: [1, 1],
    infer: ([x]) => [x as NonNullable<typeof x>],
    grad: null,
    eval: ([x]) => [x as NonNullable<typeof x>],
    flops: () => 0,
  },
  Size: {
    spec: 'ONNX Size-21, as int32',
    arity: [1, 1],
    infer: () => [{ dtype: 'int32', shape: [] }],
    grad: null,
    eval: ([x], _attrs, _infos, scope) => {
      const out = scope.make('int32', [])
      out.data[0] = (x as NonNullable<typeof x>).data.length
      return [out]
    },
    flops: () => 0,
  },
}
