/** Operators defined in terms of primitives. A backend may claim any of them natively. */
import type { Value } from '../graph/builder.js'
import {
  add,
  cast,
  div,
  equal,
  erf,
  exp,
  log,
  logSumExp,
  matmul,
  max,
  mean,
  min,
  mul,
  neg,
  permute,
  reduceMax,
  reshape,
  sigmoid,
  size,
  slice,
  sqrt,
  stopGradient,
  sub,
  sum,
  swapLast,
  tanh,
  topk,
} from '../graph/expressions.js'
import { formatShape, sameShape, sizeOf } from '../graph/shape.js'
import type { Dim, Shape, ValueInfo } from '../graph/types.js'
import type { CompositeName } from '../ops/attrs.js'
import type { Composite, CompositeTable } from '../ops/definition.js'
import { reducedShape } from '../ops/reduce.js'
import { expect, expectDType } from '../ops/rules.js'

const V = (values: readonly Value[]) => values[0] as Value
const I = (infos: readonly ValueInfo[]) => infos[0] as ValueInfo

function sameAsInput(infos: readonly ValueInfo[]): ValueInfo[] {
  expectDType(infos[0], 0, 'float32')
  return [I(infos)]
}

function elementwise<O extends CompositeName>(spec: string, f: (x: Value) => Value): Composite<O> {
  return { spec, arity: [1, 1], infer: (infos) => sameAsInput(infos), define: (values) => [f(V(values))] }
}

const without = (shape: Shape, axis: number): Shape => shape.filter((_, i) => i !== axis)

/** x minus its largest element; the shift cancels, so it carries no gradient. */
const shifted = (x: Value, axis: number): { peak: Value; rest: Value } => {
  const peak = stopGradient(reduceMax(x, axis, true))
  return { peak, rest: sub(x, peak) }
}

/** Elements per mean: known, or the run-time size over what is left. */
function meanCount(x: Value, axes: readonly number[]): number | Value {
  const { factor, power } = sizeOf(axes.map((a) => x.shape[a] as Dim))
  if (power === 0) return factor
  const rest = sizeOf(x.shape.filter((_, i) => !axes.includes(i)))
  return div(cast(size(x), 'float32'), rest.factor)
}

/** Every composite operator, by name. */
export const composites: CompositeTable = {
  Relu: elementwise('ONNX Relu-14: max(0, x), so the gradient at 0 is 0', (x) => max(0, x)),
  Gelu: elementwise('ONNX Gelu-20, exact: x/2 (1 + erf(x/√2))', (x) => {
    // As u (1 + erf u) / √2: both factors are at an end, where products around it can take them.
    const u = mul(x, Math.SQRT1_2)
    return mul(mul(u, add(erf(u), 1)), Math.SQRT1_2)
  }),
  Silu: elementwise('x σ(x)', (x) => mul(x, sigmoid(x))),
  Softplus: elementwise('ONNX Softplus-1, as max(x, 0) + log(1 + e^−|x|)', (x) =>
    add(max(x, 0), log(add(exp(neg(max(x, neg(x)))), 1))),
  ),
  Linear: {
    spec: 'torch.nn.Linear: x Wᵀ + b',
    arity: [2, 3],
    infer: (infos) => {
      const [x, w, b] = infos as [ValueInfo, ValueInfo, ValueInfo | undefined]
      infos.forEach((info, i) => expectDType(info, i, 'float32'))
      expect(
        w.shape.length === 2 && x.shape.length >= 1 && x.shape.at(-1) === w.shape[1],
        `x ${formatShape(x.shape)} does not meet weight ${formatShape(w.shape)}`,
      )
      expect(!b || sameShape(b.shape, [w.shape[0] as Dim]), `bias must be (${w.shape[0]})`)
      return [{ dtype: 'float32', shape: [...x.shape.slice(0, -1), w.shape[0] as Dim] }]
    },
    define: ([x, w, b]) => {
      const rows =
        (x as Value).shape.length === 1
          ? reshape(x as Value, [1, (x as Value).shape[0] as Dim])
          : (x as Value)
      const product = matmul(rows, swapLast(w as Value))
      const shaped = reshape(product, [...(x as Value).shape.slice(0, -1), (w as Value).shape[0] as Dim])
      return [b ? add(shaped, b) : shaped]
    },
  },
  Softmax: {
    spec: 'ONNX Softmax-13',
    arity: [1, 1],
    infer: (infos) => sameAsInput(infos),
    define: (values, { axis }) => {
      const weights = exp(shifted(V(values), axis).rest)
      return [div(weights, sum(weights, axis, true))]
    },
  },
  LogSoftmax: {
    spec: 'ONNX LogSoftmax-13',
    arity: [1, 1],
    infer: (infos) => sameAsInput(infos),
    define: (values, { axis }) => {
      const { rest } = shifted(V(values), axis)
      return [sub(rest, log(sum(exp(rest), axis, true)))]
    },
  },
  LogSumExp: {
    spec: 'ONNX ReduceLogSumExp-18 over one axis',
    arity: [1, 1],
    infer: (infos, { axis, keepdims }) => [
      { dtype: 'float32', shape: reducedShape(I(sameAsInput(infos)), [axis], keepdims) },
    ],
    define: (values, { axis, keepdims }) => {
      const { peak, rest } = shifted(V(values), axis)
      const total = add(peak, log(sum(exp(rest), axis, true)))
      return [keepdims ? total : reshape(total, without(V(values).shape, axis))]
    },
  },
  LayerNorm: {
    spec: '(x − mean)/√(var + ε) · weight + bias over one axis, biased variance; ONNX LayerNormalization-17 on the last axis',
    arity: [3, 3],
    infer: (infos) => sameAsInput(infos),
    define: (values, { axis, epsilon }) => {
      const [x, weight, bias] = values as [Value, Value, Value]
      const centered = sub(x, mean(x, axis, true))
      const deviation = sqrt(add(mean(mul(centered, centered), axis, true), epsilon))
      return [add(mul(div(centered, deviation), weight), bias)]
    },
  },
  ReduceMean: {
    spec: 'ONNX ReduceMean-18',
    arity: [1, 1],
    infer: (infos, { axes, keepdims }) => [
      { dtype: 'float32', shape: reducedShape(I(sameAsInput(infos)), axes, keepdims) },
    ],
    define: (values, { axes, keepdims }) => [div(sum(V(values), axes, keepdims), meanCount(V(values), axes))],
  },
  OneHot: {
    spec: 'ONNX OneHot-11 on a new last axis, values 0 and 1; an index outside 0..depth−1 gives zeros',
    arity: [1, 1],
    infer: (infos, { depth }) => {
      expectDType(infos[0], 0, 'int32')
      return [{ dtype: 'float32', shape: [...I(infos).shape, depth] }]
    },
    define: (values, { depth }) => {
      const x = V(values)
      const classes = x.builder.constant(
        Array.from({ length: depth }, (_, i) => i),
        [depth],
        'int32',
      )
      return [cast(equal(reshape(x, [...x.shape, 1]), classes), 'float32')]
    },
  },
  ArgMax: {
    spec: 'ONNX ArgMax-13, select_last_index 0, int32',
    arity: [1, 1],
    infer: (infos, { axis, keepdims }) => [
      { dtype: 'int32', shape: reducedShape(I(infos), [axis], keepdims) },
    ],
    define: (values, { axis, keepdims }) => {
      const { indices } = topk(V(values), 1, axis)
      return [keepdims ? indices : reshape(indices, without(V(values).shape, axis))]
    },
  },
  Clip: {
    spec: 'ONNX Clip-13: min(max(x, low), high)',
    arity: [1, 1],
    infer: (infos) => sameAsInput(infos),
    define: (values, attrs) => [min(max(V(values), attrs.min), attrs.max)],
  },
  CrossEntropy: {
    spec: 'torch.nn.functional.cross_entropy, reduction none: logsumexp(z) − z[target]; targets int32 within range',
    arity: [2, 2],
    infer: (infos, { axis }) => {
      const [logits, targets] = infos as [ValueInfo, ValueInfo]
      expectDType(logits, 0, 'float32')
      expectDType(targets, 1, 'int32')
      expect(
        sameShape(targets.shape, without(logits.shape, axis)),
        `targets ${formatShape(targets.shape)} must be ${formatShape(without(logits.shape, axis))}`,
      )
      return [{ dtype: 'float32', shape: targets.shape }]
    },
    define: (values, { axis }) => {
      const [logits, targets] = values as [Value, Value]
      const classes = logits.shape[axis] as number
      const column = logits.shape.map((_, i) => (i === axis ? classes : 1))
      const table = logits.builder.constant(
        Array.from({ length: classes }, (_, i) => i),
        column,
        'int32',
      )
      const hot = cast(
        equal(
          table,
          reshape(
            targets,
            logits.shape.map((d, i) => (i === axis ? 1 : d)),
          ),
        ),
        'float32',
      )
      return [sub(logSumExp(logits, axis), sum(mul(logits, hot), axis))]
    },
  },
  GruCell: {
    spec: 'torch.nn.GRUCell, gates in the order reset, update, new',
    arity: [6, 6],
    infer: (infos) => {
      const [x, h, wi, wh, bi, bh] = infos as [
        ValueInfo,
        ValueInfo,
        ValueInfo,
        ValueInfo,
        ValueInfo,
        ValueInfo,
      ]
      infos.forEach((info, i) => expectDType(info, i, 'float32'))
      const hidden = h.shape.at(-1) as number
      const fits =
        sameShape(wi.shape, [3 * hidden, x.shape.at(-1) as Dim]) &&
        sameShape(wh.shape, [3 * hidden, hidden]) &&
        sameShape(bi.shape, [3 * hidden]) &&
        sameShape(bh.shape, [3 * hidden])
      expect(fits, `weights do not fit a hidden size of ${hidden}`)
      return [h]
    },
    define: (values) => {
      const [x, h, wi, wh, bi, bh] = values as [Value, Value, Value, Value, Value, Value]
      const hidden = h.shape.at(-1) as number
      const project = (v: Value, w: Value, b: Value) => add(matmul(v, permute(w)), b)
      const [fromX, fromH] = [project(x, wi, bi), project(h, wh, bh)]
      const part = (v: Value, i: number) => slice(v, -1, i * hidden, (i + 1) * hidden)
      const reset = sigmoid(add(part(fromX, 0), part(fromH, 0)))
      const update = sigmoid(add(part(fromX, 1), part(fromH, 1)))
      const fresh = tanh(add(part(fromX, 2), mul(reset, part(fromH, 2))))
      return [add(mul(sub(1, update), fresh), mul(update, h))]
    },
  },
}
