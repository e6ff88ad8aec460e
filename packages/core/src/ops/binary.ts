/** Elementwise operators of two operands, with ONNX multidirectional broadcasting; and Where. */
import type { Value } from '../graph/builder.js'
import { cast, div, greater, greaterOrEqual, mul, neg, where } from '../graph/expressions.js'
import { broadcastShapes } from '../graph/shape.js'
import type { DType, ValueInfo } from '../graph/types.js'
import { broadcastStrides, mapBinary, walk } from './arrays.js'
import type { NdArray, Primitive, PrimitiveTable } from './definition.js'
import { count, expect, expectDType, inferBroadcast, unbroadcast } from './rules.js'

type Arithmetic = 'Add' | 'Sub' | 'Mul' | 'Div' | 'Max' | 'Min'
type Logical = 'Greater' | 'GreaterOrEqual' | 'Equal' | 'And'

function arithmetic<O extends Arithmetic>(
  spec: string,
  f: (a: number, b: number) => number,
  partials: (g: Value, a: Value, b: Value, y: Value) => readonly [() => Value, () => Value],
): Primitive<O> {
  return {
    spec,
    arity: [2, 2],
    infer: (inputs) => inferBroadcast(inputs, ['float32', 'int32']),
    grad: ({ inputs, outputs, grads, wants }) => {
      const [a, b] = inputs as [Value, Value]
      // x · x: one product instead of two equal ones that are added.
      if (spec.startsWith('ONNX Mul') && a === b) return [mul(mul(grads[0] as Value, 2), a), undefined]
      const [da, db] = partials(grads[0] as Value, a, b, outputs[0] as Value)
      return [wants[0] ? unbroadcast(da(), a) : undefined, wants[1] ? unbroadcast(db(), b) : undefined]
    },
    eval: ([a, b], _attrs, [info], scope) => {
      const { dtype, shape } = info as { dtype: DType; shape: readonly number[] }
      // int32 arithmetic wraps, and division truncates, as ONNX and every backend have it.
      return [
        mapBinary(
          a as NdArray,
          b as NdArray,
          scope.make(dtype, shape),
          dtype === 'int32' && spec.startsWith('ONNX Mul') ? Math.imul : f,
        ),
      ]
    },
    flops: (_inputs, [out]) => count(out),
  }
}

function logical<O extends Logical>(
  spec: string,
  f: (a: number, b: number) => boolean,
  allowed: readonly DType[],
): Primitive<O> {
  return {
    spec,
    arity: [2, 2],
    infer: (inputs) => inferBroadcast(inputs, allowed, 'bool'),
    grad: null,
    eval: ([a, b], _attrs, [info], scope) => [
      mapBinary(
        a as NdArray,
        b as NdArray,
        scope.make('bool', (info as { shape: readonly number[] }).shape),
        (x, y) => Number(f(x, y)),
      ),
    ],
    flops: (_inputs, [out]) => count(out),
  }
}

/** g times a 0/1 mask: executors multiply faster than they select, and infinite gradients are not silently dropped. */
const masked = (g: Value, mask: Value): Value => mul(g, cast(mask, 'float32'))

export const binary: Pick<PrimitiveTable, Arithmetic | Logical | 'Where'> = {
  Add: arithmetic(
    'ONNX Add-14',
    (a, b) => a + b,
    (g) => [() => g, () => g],
  ),
  Sub: arithmetic(
    'ONNX Sub-14',
    (a, b) => a - b,
    (g) => [() => g, () => neg(g)],
  ),
  Mul: arithmetic(
    'ONNX Mul-14',
    (a, b) => a * b,
    (g, a, b) => [() => mul(g, b), () => mul(g, a)],
  ),
  Div: arithmetic(
    'ONNX Div-14',
    (a, b) => a / b,
    (g, _a, b, y) => [() => div(g, b), () => neg(mul(g, div(y, b)))],
  ),
  Max: arithmetic('ONNX Max-13 with two operands', Math.max, (g, a, b) => [
    () => masked(g, greaterOrEqual(a, b)),
    () => masked(g, greater(b, a)),
  ]),
  Min: arithmetic('ONNX Min-13 with two operands', Math.min, (g, a, b) => [
    () => masked(g, greaterOrEqual(b, a)),
    () => masked(g, greater(a, b)),
  ]),
  Greater: logical('ONNX Greater-13', (a, b) => a > b, ['float32', 'int32']),
  GreaterOrEqual: logical('ONNX GreaterOrEqual-16', (a, b) => a >= b, ['float32', 'int32']),
  Equal: logical('ONNX Equal-19', (a, b) => a === b, ['float32', 'int32', 'bool']),
  And: logical('ONNX And-7', (a, b) => a !== 0 && b !== 0, ['bool']),
  Where: {
    spec: 'ONNX Where-16',
    arity: [3, 3],
    infer: (inputs) => {
      const [c, a, b] = inputs as [ValueInfo, ValueInfo, ValueInfo]
      expectDType(c, 0, 'bool')
      expect(a.dtype === b.dtype, `branches differ in dtype: ${a.dtype} and ${b.dtype}`)
      return [{ dtype: a.dtype, shape: broadcastShapes(c.shape, a.shape, b.shape) }]
    },
    grad: ({ inputs, grads, wants }) => {
      const [c, a, b] = inputs as [Value, Value, Value]
      const g = grads[0] as Value
      return [
        undefined,
        wants[1] ? unbroadcast(where(c, g, 0), a) : undefined,
        wants[2] ? unbroadcast(where(c, 0, g), b) : undefined,
      ]
    },
    eval: ([c, a, b], _attrs, [info], scope) => {
      const { dtype, shape } = info as { dtype: DType; shape: readonly number[] }
      const out = scope.make(dtype, shape)
      const parts = [c, a, b] as [NdArray, NdArray, NdArray]
      walk(
        shape,
        parts.map((p) => broadcastStrides(p.shape, shape)),
        (i, at) => {
          const branch = parts[0].data[at[0] as number] ? 1 : 2
          out.data[i] = parts[branch].data[at[branch] as number] as number
        },
      )
      return [out]
    },
    flops: (_inputs, [out]) => count(out),
  },
}
