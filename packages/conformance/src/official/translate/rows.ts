/** Composites along an axis. */
import { ops, type Value } from '@fep-moe/core'
import { type Call, refuse, type Translations } from '../call.js'
import { countIn } from './shared.js'

/** ONNX normalizes all axes from `axis` on: rows of one long axis. Mean and 1/√(var + ε) are results too. */
function layerNorm(call: Call): (Value | undefined)[] {
  const x = call.value(0)
  const axis = call.number('axis', -1)
  const at = axis < 0 ? axis + x.shape.length : axis
  const epsilon = call.number('epsilon', 1e-5)
  const width = countIn(x.shape.slice(at))
  const rows = ops.reshape(x, [...x.shape.slice(0, at), width])
  const weight = ops.reshape(call.value(1), [width])
  const bias = call.has(2)
    ? ops.reshape(call.value(2), [width])
    : ops.expand(call.builder.constant(0), [width])
  const stays = [...x.shape.slice(0, at), ...x.shape.slice(at).map(() => 1)]
  const mean = ops.mean(rows, -1, true)
  const centered = ops.sub(rows, mean)
  const variance = ops.mean(ops.mul(centered, centered), -1, true)
  const wants = (i: number) => (call.node.outputs[i] ?? '') !== ''
  return [
    ops.reshape(ops.layerNorm(rows, weight, bias, -1, epsilon), x.shape),
    wants(1) ? ops.reshape(mean, stays) : undefined,
    wants(2) ? ops.reshape(ops.div(1, ops.sqrt(ops.add(variance, epsilon))), stays) : undefined,
  ]
}

function crossEntropy(call: Call): (Value | undefined)[] {
  if (call.has(2)) refuse('class weights')
  if (call.node.attrs.ignore_index !== undefined) refuse('ignore_index')
  const logits = call.value(0)
  const losses = ops.crossEntropyRows(logits, call.value(1), 1)
  const how = call.text('reduction', 'mean')
  const loss = how === 'none' ? losses : how === 'sum' ? ops.sum(losses) : ops.mean(losses)
  return [loss, (call.node.outputs[1] ?? '') === '' ? undefined : ops.logSoftmax(logits, 1)]
}

/** Ours makes a new last axis of zeros and ones from int32. */
function oneHot(call: Call): Value {
  const { tensor } = call.operand(0)
  if (tensor && Array.from(tensor.data).some((index) => index < 0))
    refuse('negative indices count from the end; ours gives zeros')
  const depth = call.numbers(1)[0] as number
  const [off, on] = call.numbers(2) as readonly [number, number]
  const hot = ops.oneHot(ops.cast(call.value(0), 'int32'), depth)
  const rank = hot.shape.length
  const axis = call.number('axis', -1)
  const at = axis < 0 ? axis + rank : axis
  const before = Array.from({ length: rank }, (_, i) => (i === at ? rank - 1 : i < at ? i : i - 1))
  const scaled = ops.add(ops.mul(ops.permute(hot, before), on - off), off)
  return ops.cast(scaled, call.info(2).dtype)
}

function extreme(call: Call, sign: (x: Value) => Value): Value {
  if (call.number('select_last_index', 0) !== 0) refuse('select_last_index = 1; ours takes the first')
  return ops.argmax(sign(call.value(0)), call.number('axis', 0), call.number('keepdims', 1) !== 0)
}

export const rows: Translations = {
  Softmax: (call) => [ops.softmax(call.value(0), call.number('axis', -1))],
  LogSoftmax: (call) => [ops.logSoftmax(call.value(0), call.number('axis', -1))],
  LayerNormalization: layerNorm,
  SoftmaxCrossEntropyLoss: crossEntropy,
  OneHot: (call) => [oneHot(call)],
  ArgMax: (call) => [extreme(call, (x) => x)],
  ArgMin: (call) => [extreme(call, ops.neg)],
}
