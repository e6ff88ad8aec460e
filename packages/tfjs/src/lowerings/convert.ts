/** Conversions between dtypes by kernels. */
import type { DType } from '@fep-moe/core'
import type { Handle } from '../device/device.js'
import type { Call } from './lowering.js'

/** Converts a tensor. */
export type Convert = (x: Handle) => Handle

/**
 * Makes a conversion. On graphics cards tfjs's Cast to a wider type only renames the data, and kernels that move elements
 * then write integers as floats; arithmetic with the neutral number makes them real.
 */
export function converter(call: Pick<Call<never>, 'device' | 'constant'>, from: DType, to: DType): Convert {
  const { device, constant } = call
  if (from === to) return (x) => x
  if (to === 'bool') {
    const [differ, zero] = [device.kernel('NotEqual'), constant(from, [], [0])]
    return (a) => differ({ a, b: zero })
  }
  const cast = device.kernel('Cast')
  const renamed = !device.host && (to === 'float32' || from === 'bool')
  if (!renamed) return (x) => cast({ x }, { dtype: to })
  const [neutral, combine] =
    to === 'float32'
      ? [constant('float32', [], [1]), device.kernel('Multiply')]
      : [constant('int32', [], [0]), device.kernel('Add')]
  return (x) => combine({ a: cast({ x }, { dtype: to }), b: neutral })
}

/** Kernels that move elements know numbers only, on some devices: a boolean goes through int32. */
export function throughInts(
  call: Pick<Call<never>, 'device' | 'constant'>,
  dtype: DType,
  run: Convert,
): Convert {
  if (dtype !== 'bool') return run
  const [toInt, toBool] = [converter(call, 'bool', 'int32'), converter(call, 'int32', 'bool')]
  return (x) => toBool(run(toInt(x)))
}
