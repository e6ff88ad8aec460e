/** Constants, shapes, repetition, joining. */
import { countOf } from '@fep-moe/core'
import type { Handle, Layout } from '../device/device.js'
import { runCopy } from '../loops/copy.js'
import { broadcastStrides } from '../loops/nest.js'
import { repeater } from './broadcasting.js'
import { converter } from './convert.js'
import { always, isEmpty, resultOf, same } from './empty.js'
import { loopWins } from './loops-win.js'
import type { Call, Execute, LoweringTable } from './lowering.js'
import { inputOf, onNumbers, strided } from './moves.js'
import { pad, slice } from './slice-pad.js'
import { transpose } from './transpose.js'

function concat(call: Call<'Concat'>): Execute {
  const { device, attrs, inputs, outputs } = call
  const { shape, dtype } = resultOf(call)
  if (isEmpty(resultOf(call))) return always(call)
  // Parts without elements contribute nothing, and some kernels do not take them.
  const parts = inputs.flatMap((part, i) => (isEmpty(part) ? [] : [i]))
  const [only] = parts
  if (parts.length === 1) return (operands) => [device.reshape(operands[only as number] as Handle, shape)]
  const outer = countOf(shape.slice(0, attrs.axis))
  const inner = countOf(shape.slice(attrs.axis + 1))
  const widths = parts.map((i) => ((inputs[i] as Layout).shape[attrs.axis] as number) * inner)
  if (loopWins(call)) {
    const total = (shape[attrs.axis] as number) * inner
    return (operands) =>
      device.loop(
        parts.map((i) => operands[i] as Handle),
        outputs,
        (xs, [y]) => {
          let start = 0
          xs.forEach((x, k) => {
            const width = widths[k] as number
            runCopy(
              {
                sizes: [outer, width],
                strides: [
                  [width, 1],
                  [total, 1],
                ],
              },
              x,
              y!,
              0,
              start,
            )
            start += width
          })
        },
      )
  }
  // As matrices: the axis and what is inside it are one.
  const kernel = device.kernel('Concat')
  const run = (xs: readonly Handle[]) =>
    device.reshape(
      kernel(
        xs.map((x, k) => device.view(x, [outer, widths[k] as number])),
        { axis: 1 },
      ),
      shape,
    )
  if (dtype !== 'bool') return (operands) => [run(parts.map((i) => operands[i] as Handle))]
  const [toInt, toBool] = [converter(call, 'bool', 'int32'), converter(call, 'int32', 'bool')]
  return (operands) => [toBool(run(parts.map((i) => toInt(operands[i] as Handle))))]
}

export const layout = {
  Constant: (call) => {
    const { dtype, shape, data } = call.attrs
    const literal = call.constant(dtype, shape, data)
    return () => [call.device.reshape(literal, shape)]
  },
  Reshape: same,
  Transpose: transpose,
  Expand: (call) => {
    const { device } = call
    const { shape } = resultOf(call)
    if (isEmpty(resultOf(call))) return always(call)
    const from = inputOf(call).shape
    if (countOf(from) === countOf(shape)) return same(call)
    if (loopWins(call)) return strided(call, broadcastStrides(from, shape))
    const repeat = repeater(device, from, shape)
    return onNumbers(call, (x) => device.reshape(repeat(x), shape))
  },
  Slice: slice,
  Concat: concat,
  Pad: pad,
} satisfies Partial<LoweringTable>
