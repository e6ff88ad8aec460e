/** Broadcasting for kernels: fewer axes where they merge, explicit repetition where a kernel has none. */
import { FepError, stridesOf } from '@fep-moe/core'
import type { Device, Handle, Layout } from '../device/device.js'
import { runCopy } from '../loops/copy.js'
import { broadcastStrides, collapse, elementwiseNest } from '../loops/nest.js'

/** Up to this many axes, nothing is merged: every kernel takes them. */
export const PLAIN_RANK = 4

/** Shapes that hold the same elements with as few axes as the broadcast allows: one per operand, and the result's. */
export interface Merged {
  readonly operands: readonly (readonly number[])[]
  readonly result: readonly number[]
}

/** @throws FEP_UNSUPPORTED_OP where more axes are left than the device's kernels take */
export function mergeAxes(
  device: Device,
  out: readonly number[],
  operands: readonly (readonly number[])[],
): Merged {
  if (out.length <= PLAIN_RANK) return { operands, result: out }
  const { sizes, strides } = elementwiseNest(out, operands)
  limitRank(device, sizes.length)
  return {
    operands: operands.map((_, k) => sizes.map((size, i) => (strides[k]?.[i] === 0 ? 1 : size))),
    result: sizes,
  }
}

/** A permutation of merged axes. */
export function mergePermutation(
  device: Device,
  shape: readonly number[],
  perm: readonly number[],
): { shape: readonly number[]; perm: readonly number[] } {
  if (shape.length <= PLAIN_RANK) return { shape, perm }
  const own = stridesOf(shape)
  const { sizes, strides } = collapse(
    perm.map((p) => shape[p] as number),
    [perm.map((p) => own[p] as number)],
  )
  limitRank(device, sizes.length)
  // Axes of the source in their own order: by falling stride.
  const order = sizes
    .map((_, i) => i)
    .sort((a, b) => (strides[0]?.[b] as number) - (strides[0]?.[a] as number))
  return { shape: order.map((i) => sizes[i] as number), perm: sizes.map((_, i) => order.indexOf(i)) }
}

/** @throws FEP_UNSUPPORTED_OP */
export function limitRank(device: Device, rank: number): void {
  if (rank > device.maxRank)
    throw new FepError(
      'FEP_UNSUPPORTED_OP',
      `kernels of '${device.name}' take ${device.maxRank} axes; ${rank} are left after merging neighbors`,
    )
}

/** Makes a function that repeats an operand to a shape; the operand itself where there is nothing to repeat. */
export function repeater(
  device: Device,
  from: readonly number[],
  to: readonly number[],
): (x: Handle) => Handle {
  if (from.length === to.length && from.every((d, i) => d === to[i])) return (x) => x
  if (device.inPlace) {
    const nest = collapse(to, [broadcastStrides(from, to), stridesOf(to)])
    return (x) => {
      const layout: Layout = { dtype: x.dtype as Layout['dtype'], shape: to }
      return device.loop([x], [layout], ([a], [b]) => runCopy(nest, a!, b!))[0] as Handle
    }
  }
  const merged = mergeAxes(device, to, [from])
  const source = merged.operands[0] as readonly number[]
  const full = [...new Array<number>(merged.result.length - source.length).fill(1), ...source]
  const reps = merged.result.map((size, i) => (full[i] === size ? 1 : size))
  const tile = device.kernel('Tile')
  return (x) => {
    const tiled = reps.every((r) => r === 1)
      ? device.view(x, full)
      : tile({ x: device.view(x, full) }, { reps })
    return device.view(tiled, to)
  }
}
