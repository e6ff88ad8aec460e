/** Gather and GatherElements. */
import { countOf } from '@fep-moe/core'
import type { Handle, Layout } from '../device/device.js'
import { runGather, runGatherElements } from '../loops/indexing.js'
import { converter } from './convert.js'
import { always, isEmpty, resultOf } from './empty.js'
import { fromStart, pickerAt } from './indices.js'
import { loopWins } from './loops-win.js'
import type { Lowering } from './lowering.js'
import { around } from './reduce.js'

export const gather: Lowering<'Gather'> = (call) => {
  const { device, attrs, inputs } = call
  const [x, indices] = inputs as [Layout, Layout]
  if (isEmpty(resultOf(call))) return always(call)
  const sizes = around(x.shape, attrs.axis)
  if (loopWins(call))
    return (operands) =>
      device.loop(operands, call.outputs, ([from, at], [y]) => runGather(sizes, from!, at!, y!))
  const resolve = fromStart(call, sizes.length)
  const kernel = device.kernel('GatherV2')
  const count = countOf(indices.shape)
  const numbers = x.dtype === 'bool' ? 'int32' : x.dtype
  const [toNumbers, back] = [converter(call, x.dtype, numbers), converter(call, numbers, x.dtype)]
  const run = (rows: Handle, at: Handle) =>
    kernel(
      { x: device.view(rows, [sizes.outer, sizes.length, sizes.inner]), indices: device.view(at, [count]) },
      { axis: 1, batchDims: 0 },
    )
  return ([from, at]) => {
    const picks = resolve(at as Handle)
    const rows = run(toNumbers(from as Handle), picks)
    return [device.reshape(back(rows), resultOf(call).shape)]
  }
}

export const gatherElements: Lowering<'GatherElements'> = (call) => {
  const { device, attrs, inputs } = call
  const [x, indices] = inputs as [Layout, Layout]
  const out = resultOf(call)
  if (isEmpty(out)) return always(call)
  const sizes = around(x.shape, attrs.axis)
  const picks = indices.shape[attrs.axis] as number
  if (loopWins(call))
    return (operands) =>
      device.loop(operands, call.outputs, ([from, at], [y]) =>
        runGatherElements(sizes, picks, from!, at!, y!),
      )
  const resolve = fromStart(call, sizes.length)
  const pick = pickerAt(call, picks)
  return ([from, at]) => [device.reshape(pick(from as Handle, resolve(at as Handle)), out.shape)]
}
