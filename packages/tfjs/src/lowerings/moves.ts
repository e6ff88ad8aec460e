/** What the operators that move elements share. */
import { stridesOf } from '@fep-moe/core'
import type { Handle, Layout } from '../device/device.js'
import { runCopy } from '../loops/copy.js'
import { collapse } from '../loops/nest.js'
import { throughInts } from './convert.js'
import { resultOf } from './empty.js'
import type { Call, Execute } from './lowering.js'

type Move = 'Transpose' | 'Expand' | 'Slice' | 'Pad' | 'Concat'

/** The first operand. */
export const inputOf = (call: Call<Move>): Layout => call.inputs[0] as Layout

/** A loop that reads the operand through strides and writes the result in order. */
export function strided(
  call: Call<'Transpose' | 'Expand' | 'Slice'>,
  strides: readonly number[],
  start = 0,
): Execute {
  const { device, outputs } = call
  const { shape } = resultOf(call)
  const nest = collapse(shape, [strides, stridesOf(shape)])
  return (operands) => device.loop(operands, outputs, ([x], [y]) => runCopy(nest, x!, y!, start))
}

/** Kernels for layout on some devices know numbers only. */
export function onNumbers(
  call: Call<'Expand' | 'Slice' | 'Pad' | 'Transpose'>,
  run: (x: Handle) => Handle,
): Execute {
  const moved = throughInts(call, resultOf(call).dtype, run)
  return ([x]) => [moved(x as Handle)]
}

/** Axes that a kernel must see, where all others are whole: neighbors that are whole merge. */
export function mergeWhole(shape: readonly number[], cut: (axis: number) => boolean): number[][] {
  const groups: number[][] = []
  shape.forEach((_, axis) => {
    const last = groups.at(-1)
    if (last && !cut(axis) && !cut(last[0] as number)) last.push(axis)
    else groups.push([axis])
  })
  return groups
}

/** Elements along a group of axes. */
export const sizeOfGroup = (shape: readonly number[], group: readonly number[]): number =>
  group.reduce((n, axis) => n * (shape[axis] as number), 1)
