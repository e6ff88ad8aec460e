/** Elementwise operators. */
import { countOf, type PrimitiveName } from '@fep-moe/core'
import { type Handle, kernels, type Layout } from '../device/device.js'
import { binaryLoops, runBinary, runCast, runWhere, unaryLoops } from '../loops/elementwise.js'
import { elementwiseNest } from '../loops/nest.js'
import { mergeAxes, repeater } from './broadcasting.js'
import { converter } from './convert.js'
import { always, isEmpty, onFlat, resultOf, same } from './empty.js'
import { loopWins } from './loops-win.js'
import type { Call, Execute, Lowering, LoweringTable } from './lowering.js'

type Unary = keyof typeof unaryLoops
type Binary = Exclude<keyof typeof binaryLoops, 'MulInts'>

const KERNEL: Readonly<Record<Binary, string>> = {
  Add: 'Add',
  Sub: 'Sub',
  Mul: 'Multiply',
  Div: 'RealDiv',
  Max: 'Maximum',
  Min: 'Minimum',
  Greater: 'Greater',
  GreaterOrEqual: 'GreaterEqual',
  Equal: 'Equal',
  And: 'LogicalAnd',
}

function unary<O extends Unary & PrimitiveName>(op: O): Lowering<O> {
  return (call) => {
    const { device } = call
    if (isEmpty(resultOf(call))) return always(call)
    if (loopWins(call)) {
      const body = unaryLoops[op]
      return (operands) => device.loop(operands, call.outputs, ([x], [y]) => body(x!, y!))
    }
    if (op === 'Neg' && resultOf(call).dtype === 'int32') {
      const [zero, subtract] = [call.constant('int32', [], [0]), device.kernel('Sub')]
      return ([x]) => [subtract({ a: zero, b: x as Handle })]
    }
    const kernel = device.kernel(op === 'Not' ? 'LogicalNot' : op)
    return onFlat(call, (x) => kernel({ x }))
  }
}

function binary<O extends Binary>(op: O): Lowering<O> {
  return (call) => {
    const { device, inputs } = call
    if (isEmpty(resultOf(call))) return always(call)
    const shapes = inputs.map((x) => x.shape)
    const ints = inputs[0]?.dtype === 'int32'
    if (loopWins(call)) {
      const nest = elementwiseNest(resultOf(call).shape, shapes)
      const row = binaryLoops[op === 'Mul' && ints ? 'MulInts' : op]
      return (operands) =>
        device.loop(operands, call.outputs, ([a, b], [c]) => runBinary(row, nest, a!, b!, c!))
    }
    if (op === 'Div' && ints) return divideInts(call as Call<'Div'>)
    const kernel = device.kernel(KERNEL[op])
    const merged = mergeAxes(device, resultOf(call).shape, shapes)
    if (merged.result === resultOf(call).shape)
      return ([a, b]) => [kernel({ a: a as Handle, b: b as Handle })]
    return ([a, b]) => {
      const [x, y] = [a, b].map((t, i) => device.view(t as Handle, merged.operands[i] as readonly number[]))
      return [device.reshape(kernel({ a: x as Handle, b: y as Handle }), resultOf(call).shape)]
    }
  }
}

/** Towards zero, and 0 where the divisor is 0: the quotient of magnitudes, with the sign of the product. */
function divideInts(call: Call<'Div'>): Execute {
  const { device } = call
  const [zero, one] = [0, 1].map((n) => call.constant('int32', [], [n])) as [Handle, Handle]
  const k = kernels(device, 'Equal', 'Abs', 'Sign', 'Multiply', 'FloorDiv', 'Maximum', 'Select')
  const spread = call.inputs.map((x) => repeater(device, x.shape, resultOf(call).shape))
  const zeros = repeater(device, [], resultOf(call).shape)
  return (operands) => {
    const [a, b] = operands.map((x, i) => spread[i]!(x)) as [Handle, Handle]
    const size = k.FloorDiv({ a: k.Abs({ x: a }), b: k.Maximum({ a: k.Abs({ x: b }), b: one }) })
    const signed = k.Multiply({ a: size, b: k.Multiply({ a: k.Sign({ x: a }), b: k.Sign({ x: b }) }) })
    return [k.Select({ condition: k.Equal({ a: b, b: zero }), t: zeros(zero), e: signed })]
  }
}

const where: Lowering<'Where'> = (call) => {
  const { device, inputs } = call
  const { shape, dtype } = resultOf(call)
  if (isEmpty(resultOf(call))) return always(call)
  if (loopWins(call)) {
    const nest = elementwiseNest(
      shape,
      inputs.map((x) => x.shape),
    )
    return (operands) =>
      device.loop(operands, call.outputs, ([c, a, b], [y]) => runWhere(nest, c!, a!, b!, y!))
  }
  const spread = inputs.map((x) => repeater(device, x.shape, shape))
  const select = device.kernel('Select')
  if (dtype !== 'bool')
    return (operands) => {
      const [condition, t, e] = operands.map((x, i) => spread[i]!(x)) as [Handle, Handle, Handle]
      return [select({ condition, t, e })]
    }
  const k = kernels(device, 'LogicalAnd', 'LogicalOr', 'LogicalNot')
  return (operands) => {
    const [c, a, b] = operands.map((x, i) => spread[i]!(x)) as [Handle, Handle, Handle]
    return [
      k.LogicalOr({ a: k.LogicalAnd({ a: c, b: a }), b: k.LogicalAnd({ a: k.LogicalNot({ x: c }), b }) }),
    ]
  }
}

const cast: Lowering<'Cast'> = (call) => {
  const { device, attrs } = call
  if (isEmpty(resultOf(call))) return always(call)
  const { dtype } = call.inputs[0] as Layout
  if (dtype === attrs.to) return same(call)
  if (loopWins(call))
    return (operands) =>
      device.loop(operands, call.outputs, ([x], [y]) => runCast(x!, y!, attrs.to === 'bool'))
  return onFlat(call, converter(call, dtype, attrs.to))
}

export const elementwise = {
  Neg: unary('Neg'),
  Exp: unary('Exp'),
  Log: unary('Log'),
  Sqrt: unary('Sqrt'),
  Tanh: unary('Tanh'),
  Sigmoid: unary('Sigmoid'),
  Erf: unary('Erf'),
  Sin: unary('Sin'),
  Cos: unary('Cos'),
  Not: unary('Not'),
  Add: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Mul'),
  Div: binary('Div'),
  Max: binary('Max'),
  Min: binary('Min'),
  Greater: binary('Greater'),
  GreaterOrEqual: binary('GreaterOrEqual'),
  Equal: binary('Equal'),
  And: binary('And'),
  Where: where,
  Cast: cast,
  // It stops gradients, and there are none left.
  StopGradient: same,
  Size: (call) => always(call, countOf((call.inputs[0] as Layout).shape)),
} satisfies Partial<LoweringTable>
