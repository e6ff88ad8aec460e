/**
 * The language in which gates, losses and gradients are written: one function per operator, numbers lifted to
 * constants, axes counted from either end. Every function emits on the builder of its operands.
 */
import { FepError } from '../errors.js'
import type { OpAttrs, OpName } from '../ops/attrs.js'
import { type GraphBuilder, Value } from './builder.js'
import { normalizeAxis } from './shape.js'
import type { Dim, DType, Graph, Shape } from './types.js'

/** A value, or a number that becomes a scalar constant of the other operand's dtype. */
export type Operand = Value | number

function builderOf(operands: readonly Operand[]): GraphBuilder {
  for (const v of operands) if (v instanceof Value) return v.builder
  throw new FepError(
    'FEP_BAD_GRAPH',
    'an expression needs at least one value; use builder.constant for literals',
  )
}

function lift(operands: readonly Operand[]): Value[] {
  const builder = builderOf(operands)
  const dtype =
    (operands.find((v) => v instanceof Value && v.dtype !== 'bool') as Value | undefined)?.dtype ?? 'float32'
  return operands.map((v) => (v instanceof Value ? v : builder.constant(v, [], dtype)))
}

function one<O extends OpName>(op: O, operands: readonly Operand[], attrs: OpAttrs[O]): Value {
  const values = lift(operands)
  return (values[0] as Value).builder.emit(op, values, attrs)[0] as Value
}

const unary =
  (
    op:
      | 'Neg'
      | 'Exp'
      | 'Log'
      | 'Sqrt'
      | 'Tanh'
      | 'Sigmoid'
      | 'Erf'
      | 'Sin'
      | 'Cos'
      | 'Not'
      | 'StopGradient'
      | 'Relu'
      | 'Gelu'
      | 'Silu'
      | 'Softplus',
  ) =>
  (x: Value) =>
    one(op, [x], {})
const binary =
  (op: 'Add' | 'Sub' | 'Mul' | 'Div' | 'Max' | 'Min' | 'Greater' | 'GreaterOrEqual' | 'Equal' | 'And') =>
  (a: Operand, b: Operand) =>
    one(op, [a, b], {})

/** −x */
export const neg = unary('Neg')
/** eˣ */
export const exp = unary('Exp')
/** Natural logarithm. */
export const log = unary('Log')
/** √x */
export const sqrt = unary('Sqrt')
/** Hyperbolic tangent. */
export const tanh = unary('Tanh')
/** 1/(1 + e^−x) */
export const sigmoid = unary('Sigmoid')
/** Error function. */
export const erf = unary('Erf')
/** Sine, radians. */
export const sin = unary('Sin')
/** Cosine, radians. */
export const cos = unary('Cos')
/** Logical not. */
export const not = unary('Not')
/** Identity forwards; no gradient flows back. */
export const stopGradient = unary('StopGradient')
/** max(0, x); gradient 0 at 0. */
export const relu = unary('Relu')
/** x/2 (1 + erf(x/√2)), exact. */
export const gelu = unary('Gelu')
/** x σ(x) */
export const silu = unary('Silu')
/** log(1 + eˣ), without overflow. */
export const softplus = unary('Softplus')
/** a + b, broadcast. */
export const add = binary('Add')
/** a − b, broadcast. */
export const sub = binary('Sub')
/** a · b, broadcast. */
export const mul = binary('Mul')
/** a / b, broadcast; int32 truncates. */
export const div = binary('Div')
/** At a tie the gradient goes to the first operand: relu is `max(0, x)`. */
export const max = binary('Max')
/** At a tie the gradient goes to the first operand: a soft cap is `min(u, θ)`. */
export const min = binary('Min')
/** a > b, as bool. */
export const greater = binary('Greater')
/** a ≥ b, as bool. */
export const greaterOrEqual = binary('GreaterOrEqual')
/** a = b, as bool. */
export const equal = binary('Equal')
/** Logical and. */
export const and = binary('And')

/** `condition ? a : b`, element by element, all three broadcast. */
export function where(condition: Value, a: Operand, b: Operand): Value {
  const [x, y] =
    a instanceof Value || b instanceof Value
      ? (lift([a, b]) as [Value, Value])
      : [condition.builder.constant(a), condition.builder.constant(b)]
  return one('Where', [condition, x, y], {})
}

/** Converts the dtype. Floats to int32 truncate toward zero; to bool: not equal to zero. */
export const cast = (x: Value, to: DType): Value => one('Cast', [x], { to })

/** One dimension may be -1 and is inferred. */
export function reshape(x: Value, shape: readonly (Dim | -1)[]): Value {
  return one('Reshape', [x], { shape: resolveShape(x.shape, shape) })
}

function resolveShape(from: Shape, to: readonly (Dim | -1)[]): Shape {
  const hole = to.indexOf(-1)
  if (hole < 0) return to as Shape
  let factor = 1
  let power = 0
  for (const [sign, dims] of [
    [1, from],
    [-1, to.filter((d) => d !== -1)],
  ] as const) {
    for (const d of dims) {
      const n = typeof d === 'number' ? d : d === 'batch' ? 1 : Number.parseInt(d, 10)
      factor = sign > 0 ? factor * n : factor / n
      if (typeof d === 'string') power += sign
    }
  }
  if (!Number.isInteger(factor) || (power !== 0 && power !== 1))
    throw new FepError(
      'FEP_BAD_GRAPH',
      `reshape: cannot infer -1 in (${to.join(', ')}) from (${from.join(', ')})`,
    )
  const dim: Dim = power === 0 || factor === 0 ? factor : factor === 1 ? 'batch' : `${factor}*batch`
  return to.map((d) => (d === -1 ? dim : d)) as Shape
}

/** Permutes axes; default: reverses them. */
export function permute(
  x: Value,
  perm: readonly number[] = x.shape.map((_, i) => x.shape.length - 1 - i),
): Value {
  const axes = perm.map((p) => normalizeAxis(p, x.shape.length))
  return axes.every((p, i) => p === i) ? x : one('Transpose', [x], { perm: axes })
}

/** Swaps the last two axes. */
export function swapLast(x: Value): Value {
  const n = x.shape.length
  return permute(
    x,
    x.shape.map((_, i) => (i === n - 1 ? n - 2 : i === n - 2 ? n - 1 : i)),
  )
}

/** Broadcasts to a shape. */
export const expand = (x: Value, shape: Shape): Value => one('Expand', [x], { shape })

/** Elements start..end (exclusive; negative counts from the end) of one axis. */
export function slice(x: Value, axis: number, start: number, end: number = Number.MAX_SAFE_INTEGER): Value {
  const at = normalizeAxis(axis, x.shape.length)
  const dim = x.shape[at]
  if (typeof dim !== 'number')
    throw new FepError('FEP_BAD_GRAPH', `slice: axis ${at} of (${x.shape.join(', ')}) is symbolic`)
  const clamp = (i: number) => Math.min(Math.max(i < 0 ? i + dim : i, 0), dim)
  const from = clamp(start)
  return one('Slice', [x], { axes: [at], starts: [from], ends: [Math.max(from, clamp(end))] })
}

/** Joins along an axis. */
export function concat(parts: readonly Value[], axis: number): Value {
  return one('Concat', parts, { axis: normalizeAxis(axis, (parts[0] as Value).shape.length) })
}

/** Adds `before` and `after` elements of `value` on one axis. */
export function pad(x: Value, axis: number, before: number, after: number, value = 0): Value {
  const rank = x.shape.length
  const at = normalizeAxis(axis, rank)
  const pads = new Array<number>(2 * rank).fill(0)
  pads[at] = before
  pads[rank + at] = after
  return one('Pad', [x], { pads, value })
}

const axesOf = (x: Value, axes: number | readonly number[] | undefined): number[] =>
  (axes === undefined ? x.shape.map((_, i) => i) : typeof axes === 'number' ? [axes] : [...axes])
    .map((a) => normalizeAxis(a, x.shape.length))
    .sort((a, b) => a - b)

/** Sum over axes (default: all). No axis: the value itself. */
export function sum(x: Value, axes?: number | readonly number[], keepdims = false): Value {
  const at = axesOf(x, axes)
  return at.length === 0 ? x : one('ReduceSum', [x], { axes: at, keepdims })
}

/** Largest element over axes (default: all). */
export function reduceMax(x: Value, axes?: number | readonly number[], keepdims = false): Value {
  const at = axesOf(x, axes)
  return at.length === 0 ? x : one('ReduceMax', [x], { axes: at, keepdims })
}

/** Mean over axes (default: all); the batch counts as the size it has at run time. */
export function mean(x: Value, axes?: number | readonly number[], keepdims = false): Value {
  const at = axesOf(x, axes)
  return at.length === 0 ? x : one('ReduceMean', [x], { axes: at, keepdims })
}

/** Running sum. */
export const cumsum = (
  x: Value,
  axis: number,
  options: { exclusive?: boolean; reverse?: boolean } = {},
): Value =>
  one('CumSum', [x], {
    axis: normalizeAxis(axis, x.shape.length),
    exclusive: options.exclusive ?? false,
    reverse: options.reverse ?? false,
  })

/** Matrix product of the last two axes; the axes before broadcast. Operands have rank 2 or more. */
export const matmul = (a: Value, b: Value): Value => one('MatMul', [a, b], {})

/** Whole slices of `x` along `axis`, chosen by int32 `indices` of any shape. */
export const gather = (x: Value, indices: Value, axis = 0): Value =>
  one('Gather', [x, indices], { axis: normalizeAxis(axis, x.shape.length) })

/** `x` with slices of `updates` added at `indices` (…, 1) of axis 0; equal indices add up, in order. */
export const scatterAdd = (x: Value, indices: Value, updates: Value): Value =>
  one('ScatterND', [x, indices, updates], {})

/** Single elements of `x` along `axis`. */
export const gatherElements = (x: Value, indices: Value, axis: number): Value =>
  one('GatherElements', [x, indices], { axis: normalizeAxis(axis, x.shape.length) })

/** `x` with single elements of `updates` added along `axis`; equal indices add up, in order. */
export const scatterElementsAdd = (x: Value, indices: Value, updates: Value, axis: number): Value =>
  one('ScatterElements', [x, indices, updates], { axis: normalizeAxis(axis, x.shape.length) })

/** The k largest, in falling order, and their int32 indices. Equal scores: the lower index first. */
export function topk(x: Value, k: number, axis = -1): { values: Value; indices: Value } {
  const [values, indices] = x.builder.emit('TopK', [x], { k, axis: normalizeAxis(axis, x.shape.length) })
  return { values: values as Value, indices: indices as Value }
}

/** Number of elements as an int32 scalar, the batch included. */
export const size = (x: Value): Value => one('Size', [x], {})

/** h_t = a_t ⊙ h_{t−1} + b_t along `axis`; `a` and `h0` broadcast (their `axis` has size 1, or T for `a`). */
export function linearScan(
  a: Value,
  b: Value,
  h0: Operand,
  options: { axis: number; reverse?: boolean },
): { h: Value; last: Value } {
  const axis = normalizeAxis(options.axis, b.shape.length)
  const initial =
    h0 instanceof Value
      ? h0
      : b.builder.constant(
          [h0],
          b.shape.map(() => 1),
        )
  const [h, last] = b.builder.emit('LinearScan', [a, b, initial], { axis, reverse: options.reverse ?? false })
  return { h: h as Value, last: last as Value }
}

/** Runs a closed body over slices of `xs`. */
export function scan(
  body: Graph,
  operands: { init: readonly Value[]; xs: readonly Value[]; consts?: readonly Value[] },
  options: { axis: number; reverse?: boolean; batchAxis?: number | null },
): { last: Value[]; ys: Value[] } {
  const all = [...operands.init, ...operands.xs, ...(operands.consts ?? [])]
  const outputs = builderOf(all).emit('Scan', all, {
    body,
    states: operands.init.length,
    xs: operands.xs.length,
    axis: options.axis,
    reverse: options.reverse ?? false,
    batchAxis: options.batchAxis ?? null,
  })
  return { last: outputs.slice(0, operands.init.length), ys: outputs.slice(operands.init.length) }
}

/** Rows offsets[e]..offsets[e+1] of x (R,d) times w[e] (d,h); rows past the last offset are zero. */
export const groupedMatMul = (x: Value, w: Value, offsets: Value): Value =>
  one('GroupedMatMul', [x, w, offsets], { mode: 'forward' })

/** The gradient of {@link groupedMatMul} for w: per group, xᵀ g. Shape (E,d,h). */
export const groupedMatMulWeight = (x: Value, g: Value, offsets: Value): Value =>
  one('GroupedMatMul', [x, g, offsets], { mode: 'weight' })

/** x Wᵀ + b for x (…, in), weight (out, in), bias (out), as torch.nn.Linear. */
export const linear = (x: Value, weight: Value, bias?: Value): Value =>
  one('Linear', bias ? [x, weight, bias] : [x, weight], {})
/** Weights along `axis` that sum to 1. */
export const softmax = (x: Value, axis = -1): Value =>
  one('Softmax', [x], { axis: normalizeAxis(axis, x.shape.length) })
/** Logarithm of the softmax along `axis`. */
export const logSoftmax = (x: Value, axis = -1): Value =>
  one('LogSoftmax', [x], { axis: normalizeAxis(axis, x.shape.length) })
/** log Σ eˣ along `axis`, without overflow. */
export const logSumExp = (x: Value, axis = -1, keepdims = false): Value =>
  one('LogSumExp', [x], { axis: normalizeAxis(axis, x.shape.length), keepdims })
/** (x − mean)/√(var + ε) · weight + bias over `axis`; biased variance. weight and bias broadcast against x. */
export const layerNorm = (x: Value, weight: Value, bias: Value, axis = -1, epsilon = 1e-5): Value =>
  one('LayerNorm', [x, weight, bias], { axis: normalizeAxis(axis, x.shape.length), epsilon })
/** int32 indices as float32 vectors of length `depth` on a new last axis. */
export const oneHot = (indices: Value, depth: number): Value => one('OneHot', [indices], { depth })
/** int32 index of the largest element along `axis`; the lower index wins a tie. */
export const argmax = (x: Value, axis = -1, keepdims = false): Value =>
  one('ArgMax', [x], { axis: normalizeAxis(axis, x.shape.length), keepdims })
/** min(max(x, low), high) */
export const clip = (x: Value, low: number, high: number): Value => one('Clip', [x], { min: low, max: high })
/** −log softmax(logits)[target] per row; classes on `axis`, targets int32 without that axis. */
export const crossEntropyRows = (logits: Value, targets: Value, axis = -1): Value =>
  one('CrossEntropy', [logits, targets], { axis: normalizeAxis(axis, logits.shape.length) })
/** One step of torch.nn.GRUCell: x (B,I), h (B,H) → h (B,H). */
export const gruCell = (
  x: Value,
  h: Value,
  weightIh: Value,
  weightHh: Value,
  biasIh: Value,
  biasHh: Value,
): Value => one('GruCell', [x, h, weightIh, weightHh, biasIh, biasHh], {})
