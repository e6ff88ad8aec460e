/** Comparing tensors: one number per case, the error where it comes closest to (or goes furthest beyond) its tolerance. */
import type { Tensor } from '@fep-moe/core'
import type { Tolerance } from './case.js'

/** The element of a comparison that used up most of its tolerance. */
export interface Deviation {
  /** Name of the tensor, index of the element, and both numbers. */
  readonly where: string
  /** |got − want| */
  readonly error: number
  /** What it may be. */
  readonly tolerance: number
  /** error / tolerance; above 1 the comparison failed. */
  readonly ratio: number
}

const show = (shape: readonly number[]) => `(${shape.join(', ')})`

/**
 * Compares elementwise. Integers and booleans are exact; NaN meets NaN only, an infinity only itself.
 * @param slack error to allow on top, element by element: what an executor's declared accuracy adds
 * @returns the worst element, or a sentence where dtype, shape or length differ
 */
export function compareTensors(
  name: string,
  got: Tensor,
  want: Tensor,
  tolerance: Tolerance,
  slack?: ArrayLike<number>,
): Deviation | string {
  if (got.dtype !== want.dtype) return `${name} is ${got.dtype}, expected ${want.dtype}`
  if (show(got.shape) !== show(want.shape))
    return `${name} has shape ${show(got.shape)}, expected ${show(want.shape)}`
  if (got.data.length !== want.data.length)
    return `${name} holds ${got.data.length} elements, expected ${want.data.length}`
  const float = want.dtype === 'float32'
  let worst: Deviation = { where: name, error: 0, tolerance: float ? tolerance.atol : 0, ratio: 0 }
  for (let i = 0; i < want.data.length; i++) {
    const [g, w] = [got.data[i] as number, want.data[i] as number]
    const error = distance(g, w)
    const allowed =
      float && Number.isFinite(w) ? tolerance.atol + tolerance.rtol * Math.abs(w) + (slack?.[i] ?? 0) : 0
    const ratio = error === 0 ? 0 : allowed > 0 ? error / allowed : Number.POSITIVE_INFINITY
    if (ratio > worst.ratio || (i === 0 && ratio === 0)) {
      worst = { where: `${name}[${i}]: got ${g}, expected ${w}`, error, tolerance: allowed, ratio }
    }
  }
  return worst
}

function distance(got: number, want: number): number {
  if (got === want || (Number.isNaN(got) && Number.isNaN(want))) return 0
  const gap = Math.abs(got - want)
  return Number.isNaN(gap) ? Number.POSITIVE_INFINITY : gap
}
