/** Results that need no computing, and ranks that do not matter. */
import type { OpName } from '@fep-moe/core'
import { countOf } from '@fep-moe/core'
import type { Handle, Layout } from '../device/device.js'
import type { Call, Execute } from './lowering.js'

/** The first result. */
export const resultOf = (call: Call<OpName>): Layout => call.outputs[0] as Layout

/** True for a shape without elements. */
export const isEmpty = ({ shape }: Layout): boolean => shape.includes(0)

/** A result that is the same literal in every run: kernels differ in what they make of no elements. */
export function always(call: Call<OpName>, value = 0, layout: Layout = resultOf(call)): Execute {
  const { dtype, shape } = layout
  const literal = call.constant(dtype, shape, new Array<number>(countOf(shape)).fill(value))
  return () => [call.device.reshape(literal, shape)]
}

/** The operand under another owner. */
export function same(call: Call<OpName>): Execute {
  const { shape } = resultOf(call)
  return ([x]) => [call.device.reshape(x as Handle, shape)]
}

/** An operator that sees each element by itself: axes beyond the kernels' are laid flat. */
export function onFlat(call: Call<OpName>, run: (x: Handle) => Handle): Execute {
  const { device } = call
  const { shape } = resultOf(call)
  if (shape.length <= device.maxRank) return ([x]) => [run(x as Handle)]
  const flat = [countOf(shape)]
  return ([x]) => [device.reshape(run(device.view(x as Handle, flat)), shape)]
}
