/** TopK. */
import { type Handle, kernels, type Layout } from '../device/device.js'
import { runTopK } from '../loops/indexing.js'
import { repeater } from './broadcasting.js'
import { converter } from './convert.js'
import { always, isEmpty, resultOf } from './empty.js'
import { pickerAt, range, selectedSum } from './indices.js'
import { loopWins } from './loops-win.js'
import type { Call, Execute, Lowering } from './lowering.js'
import { around } from './reduce.js'

export const topK: Lowering<'TopK'> = (call) => {
  const { device, attrs, inputs } = call
  const x = inputs[0] as Layout
  if (isEmpty(resultOf(call))) {
    const nothing = call.outputs.map((layout) => always(call, 0, layout))
    return () => nothing.map((make) => make([])[0] as Handle)
  }
  const sizes = around(x.shape, attrs.axis)
  if (loopWins(call))
    return (operands) =>
      device.loop(operands, call.outputs, ([from], [values, indices]) =>
        runTopK(sizes, attrs.k, from!, values!, indices!),
      )
  return topKByRanks(call)
}

/**
 * Kernels order equal elements as they like. The rank of an element is how many are larger, or equal and before it; the
 * element of rank j is the j-th result. Work grows with the square of the axis.
 */
function topKByRanks(call: Call<'TopK'>): Execute {
  const { device, attrs } = call
  const x = call.inputs[0] as Layout
  const { outer, length, inner } = around(x.shape, attrs.axis)
  const k = kernels(device, 'Greater', 'Equal', 'LogicalAnd', 'LogicalOr', 'Sum', 'Minimum')
  const [winsToFloat, toInt] = [converter(call, 'bool', 'float32'), converter(call, 'float32', 'int32')]
  const before = call.constant(
    'bool',
    [1, length, length, 1],
    range(length * length).map((n) => Number(n % length < Math.floor(n / length))),
  )
  const places = call.constant('float32', [1, attrs.k, 1, 1], range(attrs.k))
  const numbers = call.constant('float32', [1, 1, length, 1], range(length))
  const largest = call.constant('float32', [], [length - 1])
  const full = [outer, attrs.k, length, inner]
  const pairs = repeater(device, [1, length, length, 1], [outer, length, length, inner])
  const spread = repeater(device, [1, 1, length, 1], full)
  const place = selectedSum(call, full, 2)
  const pick = pickerAt(call, attrs.k)
  const shape = resultOf(call).shape
  return ([from]) => {
    const self = device.view(from as Handle, [outer, length, 1, inner])
    const other = device.view(from as Handle, [outer, 1, length, inner])
    const wins = k.LogicalOr({
      a: k.Greater({ a: other, b: self }),
      b: k.LogicalAnd({ a: k.Equal({ a: other, b: self }), b: pairs(before) }),
    })
    const ranks = k.Sum({ x: winsToFloat(wins) }, { axis: [2], keepDims: false })
    const hot = k.Equal({ a: device.view(ranks, [outer, 1, length, inner]), b: places })
    // NaN has no rank: several elements may claim one, and the sum of their places must stay a place.
    const found = k.Minimum({ a: place(hot, spread(numbers)), b: largest })
    const indices = toInt(found)
    return [device.reshape(pick(from as Handle, indices), shape), device.reshape(indices, shape)]
  }
}
