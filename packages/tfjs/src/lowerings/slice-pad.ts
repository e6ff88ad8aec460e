/** Slice and Pad: cutting off and adding around. */
import { stridesOf } from '@fep-moe/core'
import { runCopy } from '../loops/copy.js'
import { collapse } from '../loops/nest.js'
import { limitRank, PLAIN_RANK } from './broadcasting.js'
import { always, isEmpty, resultOf, same } from './empty.js'
import { loopWins } from './loops-win.js'
import type { Lowering } from './lowering.js'
import { inputOf, mergeWhole, onNumbers, sizeOfGroup, strided } from './moves.js'

export const slice: Lowering<'Slice'> = (call) => {
  const { device, attrs } = call
  const { shape } = inputOf(call)
  const size = resultOf(call).shape
  if (isEmpty(resultOf(call))) return always(call)
  if (size.every((d, i) => d === shape[i])) return same(call)
  const begin = shape.map(() => 0)
  attrs.axes.forEach((axis, i) => {
    begin[axis] = attrs.starts[i] as number
  })
  if (loopWins(call)) {
    const own = stridesOf(shape)
    return strided(
      call,
      own,
      begin.reduce((at, b, i) => at + b * (own[i] as number), 0),
    )
  }
  const kernel = device.kernel('Slice')
  if (shape.length <= PLAIN_RANK) return onNumbers(call, (x) => kernel({ x }, { begin, size }))
  const groups = mergeWhole(shape, (axis) => size[axis] !== shape[axis])
  limitRank(device, groups.length)
  const merged = {
    shape: groups.map((g) => sizeOfGroup(shape, g)),
    begin: groups.map((g) => (g.length === 1 ? (begin[g[0] as number] as number) : 0)),
    size: groups.map((g) => sizeOfGroup(size, g)),
  }
  return onNumbers(call, (x) =>
    device.reshape(
      kernel({ x: device.view(x, merged.shape) }, { begin: merged.begin, size: merged.size }),
      size,
    ),
  )
}

export const pad: Lowering<'Pad'> = (call) => {
  const { device, attrs, outputs } = call
  const { shape } = inputOf(call)
  const out = resultOf(call)
  if (isEmpty(out)) return always(call)
  if (attrs.pads.every((p) => p === 0)) return same(call)
  if (isEmpty(inputOf(call))) return always(call, attrs.value)
  const rank = shape.length
  if (loopWins(call)) {
    const own = stridesOf(out.shape)
    const start = own.reduce((at, stride, i) => at + stride * (attrs.pads[i] as number), 0)
    const nest = collapse(shape, [stridesOf(shape), own])
    return (operands) =>
      device.loop(operands, outputs, ([x], [y]) => {
        y!.fill(attrs.value)
        runCopy(nest, x!, y!, 0, start)
      })
  }
  const kernel = device.kernel('PadV2')
  const padded = (axis: number) => (attrs.pads[axis] as number) + (attrs.pads[rank + axis] as number) > 0
  const groups = rank <= PLAIN_RANK ? shape.map((_, i) => [i]) : mergeWhole(shape, padded)
  limitRank(device, groups.length)
  const merged = groups.map((g) => sizeOfGroup(shape, g))
  const paddings = groups.map(([axis, ...more]) =>
    more.length > 0 ? [0, 0] : [attrs.pads[axis as number], attrs.pads[rank + (axis as number)]],
  )
  return onNumbers(call, (x) =>
    device.reshape(
      kernel({ x: device.view(x, merged) }, { paddings, constantValue: attrs.value }),
      out.shape,
    ),
  )
}
