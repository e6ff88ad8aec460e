/** ScatterND and ScatterElements: additions in a fixed order, so that results repeat. Kernels add atomically on some devices. */
import { countOf } from '@fep-moe/core'
import { type Handle, kernels, type Layout } from '../device/device.js'
import { runScatterElements, runScatterRows } from '../loops/indexing.js'
import { repeater } from './broadcasting.js'
import { converter } from './convert.js'
import { always, isEmpty, same } from './empty.js'
import { fromStart, range, selectedSum } from './indices.js'
import { loopWins } from './loops-win.js'
import type { Call, Execute, Lowering } from './lowering.js'
import { around } from './reduce.js'

export const scatterElements: Lowering<'ScatterElements'> = (call) => {
  const { device, attrs, inputs } = call
  const [x, indices] = inputs as [Layout, Layout]
  if (isEmpty(x)) return always(call)
  if (isEmpty(indices)) return same(call)
  const sizes = around(x.shape, attrs.axis)
  const picks = indices.shape[attrs.axis] as number
  if (loopWins(call))
    return (operands) =>
      device.loop(operands, call.outputs, ([from, at, more], [y]) =>
        runScatterElements(sizes, picks, [from!, at!, more!], y!),
      )
  const { outer, length, inner } = sizes
  const full = [outer, picks, length, inner]
  const resolve = fromStart(call, length)
  const sum = selectedSum(call, full, 1)
  const spread = repeater(device, [outer, picks, 1, inner], full)
  const places = call.constant('int32', [1, 1, length, 1], range(length))
  const k = kernels(device, 'Equal', 'Add')
  const [toFloat, back] = [converter(call, x.dtype, 'float32'), converter(call, 'float32', x.dtype)]
  return ([from, at, more]) => {
    const hot = k.Equal({ a: device.view(resolve(at as Handle), [outer, picks, 1, inner]), b: places })
    const updates = device.view(toFloat(more as Handle), [outer, picks, 1, inner])
    const total = back(sum(hot, spread(updates)))
    return [k.Add({ a: from as Handle, b: device.view(total, x.shape) })]
  }
}

export const scatterRows: Lowering<'ScatterND'> = (call) => {
  const { device, inputs } = call
  const [x, indices] = inputs as [Layout, Layout]
  if (isEmpty(x)) return always(call)
  if (isEmpty(indices)) return same(call)
  const sizes = around(x.shape, 0)
  if (loopWins(call))
    return (operands) =>
      device.loop(operands, call.outputs, ([from, at, more], [y]) =>
        runScatterRows(sizes, [from!, at!, more!], y!),
      )
  return byChunks(call)
}

/** Elements that one chunk of updates may take when every update stands beside every row. */
const CHUNK = 2 ** 22

/** A chunk of updates at a time: each is put beside the row that its index names, and the rows are added up. */
function byChunks(call: Call<'ScatterND'>): Execute {
  const { device, inputs } = call
  const [x, indices] = inputs as [Layout, Layout]
  const { length, inner } = around(x.shape, 0)
  const count = countOf(indices.shape)
  const resolve = fromStart(call, length)
  const k = kernels(device, 'Slice', 'Equal', 'Add')
  const places = call.constant('int32', [1, length, 1], range(length))
  const [toFloat, back] = [converter(call, x.dtype, 'float32'), converter(call, 'float32', x.dtype)]
  const most = Math.max(1, Math.floor(CHUNK / (length * inner)))
  const chunks = range(Math.ceil(count / most)).map((n) => {
    const [begin, size] = [n * most, Math.min(most, count - n * most)]
    const full = [size, length, inner]
    return {
      begin,
      size,
      sum: selectedSum(call, full, 0),
      spreadHot: repeater(device, [size, length, 1], full),
      spread: repeater(device, [size, 1, inner], full),
    }
  })
  return ([from, at, more]) => {
    const picks = device.view(resolve(at as Handle), [count])
    const rows = device.view(toFloat(more as Handle), [count, inner])
    const sums = chunks.map(({ begin, size, sum, spread, spreadHot }) => {
      const mine = device.view(k.Slice({ x: picks }, { begin: [begin], size: [size] }), [size, 1, 1])
      const updates = k.Slice({ x: rows }, { begin: [begin, 0], size: [size, inner] })
      const hot = spreadHot(k.Equal({ a: mine, b: places }))
      return sum(hot, spread(device.view(updates, [size, 1, inner])))
    })
    const total = sums.reduce((sum, part) => k.Add({ a: sum, b: part }))
    return [k.Add({ a: from as Handle, b: device.view(back(total), x.shape) })]
  }
}
