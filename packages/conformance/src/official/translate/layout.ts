/** Operators that move elements. Shapes are data in ONNX and attributes here. */
import { ops, type Tensor, type Value } from '@fep-moe/core'
import { type Call, refuse, type Translations } from '../call.js'
import { axesIn, countIn } from './shared.js'

/** 0 repeats the dimension of the operand, -1 is what is left. */
function reshape(call: Call): Value {
  const x = call.value(0)
  const keeps = call.number('allowzero', 0) === 0
  const target = call.numbers(1).map((d, i) => (d === 0 && keeps ? (x.shape[i] as number) : d))
  return ops.reshape(x, target)
}

/** Two-directional: either side may repeat. */
function expand(call: Call): Value {
  const x = call.value(0)
  const [from, to] = [[...x.shape] as number[], [...call.numbers(1)]]
  while (from.length < to.length) from.unshift(1)
  while (to.length < from.length) to.unshift(1)
  return ops.expand(
    x,
    to.map((d, i) => Math.max(d, from[i] as number)),
  )
}

function slice(call: Call): Value {
  const [starts, ends] = [call.numbers(1), call.numbers(2)]
  const axes = call.has(3) ? call.numbers(3) : starts.map((_, i) => i)
  if (call.has(4) && call.numbers(4).some((step) => step !== 1)) refuse('steps other than 1')
  return axes.reduce<Value>(
    (x, axis, i) => ops.slice(x, axis, starts[i] as number, ends[i] as number),
    call.value(0),
  )
}

function pad(call: Call): Value {
  if (call.text('mode', 'constant') !== 'constant')
    refuse(`mode = ${call.text('mode', '')}; ours is constant`)
  const pads = call.numbers(1)
  if (pads.some((p) => p < 0)) refuse('negative pads')
  const value = call.has(2) ? (call.numbers(2)[0] as number) : 0
  const rank = call.info(0).shape.length
  const axes = call.has(3) ? axesIn(call.numbers(3), rank) : Array.from({ length: rank }, (_, i) => i)
  return axes.reduce<Value>(
    (x, axis, i) => ops.pad(x, axis, pads[i] as number, pads[axes.length + i] as number, value),
    call.value(0),
  )
}

function split(call: Call): Value[] {
  const x = call.value(0)
  const axis = call.number('axis', 0)
  const parts = call.node.outputs.length
  const length = x.shape.at(axis) as number
  const even = Math.ceil(length / parts)
  const sizes = call.has(1) ? call.numbers(1) : call.node.outputs.map(() => even)
  let at = 0
  return sizes.map((size) => {
    at += size
    return ops.slice(x, axis, at - size, Math.min(at, length))
  })
}

/** New axes count positions in the result. */
function unsqueeze(call: Call): Value {
  const x = call.value(0)
  const axes = call.numbers(1)
  const rank = x.shape.length + axes.length
  const fresh = axesIn(axes, rank)
  const rest = [...x.shape]
  return ops.reshape(
    x,
    Array.from({ length: rank }, (_, i) => (fresh.includes(i) ? 1 : (rest.shift() as number))),
  )
}

function squeeze(call: Call): Value {
  const x = call.value(0)
  const axes = call.has(1)
    ? axesIn(call.numbers(1), x.shape.length)
    : x.shape.flatMap((d, i) => (d === 1 ? [i] : []))
  return ops.reshape(
    x,
    x.shape.filter((_, i) => !axes.includes(i)),
  )
}

function flatten(call: Call): Value {
  const x = call.value(0)
  const axis = call.number('axis', 1)
  const at = axis < 0 ? axis + x.shape.length : axis
  return ops.reshape(x, [countIn(x.shape.slice(0, at)), countIn(x.shape.slice(at))])
}

export const layout: Translations = {
  Constant: (call) => {
    const { data, shape, dtype } = call.tensor('value') ?? refuse('no tensor')
    return [call.builder.constant(Array.from(data), shape, dtype)]
  },
  ConstantOfShape: (call) => {
    const fill: Tensor | undefined = call.tensor('value')
    const one = call.builder.constant((fill?.data[0] as number | undefined) ?? 0, [], fill?.dtype)
    return [ops.expand(one, call.numbers(0))]
  },
  Reshape: (call) => [reshape(call)],
  Transpose: (call) => [ops.permute(call.value(0), call.list('perm'))],
  Expand: (call) => [expand(call)],
  Slice: (call) => [slice(call)],
  Concat: (call) => [ops.concat(call.values(), call.number('axis', 0))],
  Pad: (call) => [pad(call)],
  Split: split,
  Squeeze: (call) => [squeeze(call)],
  Unsqueeze: (call) => [unsqueeze(call)],
  Flatten: (call) => [flatten(call)],
}
