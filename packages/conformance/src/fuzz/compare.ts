/** Results against bounds. */
import type { Tensor } from '@fep-moe/core'
import type { Deviation } from '../frame/compare.js'
import type { Bounded } from './bounds/evaluate.js'

/** What a comparison found. */
export interface Comparison {
  /** Elements held against a finite bound. */
  compared: number
  /** Elements that depend on a fragile decision: nothing can be said about them. */
  skipped: number
  /** The element that is furthest beyond its bound. */
  worst: Deviation | undefined
}

/** Nothing yet. */
export const noComparison = (): Comparison => ({ compared: 0, skipped: 0, worst: undefined })

/**
 * Compares one result.
 * @returns a sentence where dtype or shape differ
 */
export function compareBounded(
  total: Comparison,
  name: string,
  got: Tensor | undefined,
  want: Omit<Bounded, 'origin'>,
): string | undefined {
  if (!got) return `${name} is missing`
  if (got.dtype !== want.dtype) return `${name} is ${got.dtype}, expected ${want.dtype}`
  if (got.shape.join() !== want.shape.join() || got.data.length !== want.data.length)
    return `${name} has shape (${got.shape.join(', ')}) and ${got.data.length} elements, expected (${want.shape.join(', ')})`
  for (let i = 0; i < want.data.length; i++) {
    const tolerance = want.error[i] as number
    if (tolerance === Number.POSITIVE_INFINITY) {
      total.skipped++
      continue
    }
    total.compared++
    const [g, w] = [got.data[i] as number, want.data[i] as number]
    const gap = Math.abs(g - w)
    const error = Number.isNaN(gap) ? Number.POSITIVE_INFINITY : gap
    const ratio = error === 0 ? 0 : error / tolerance
    if (!total.worst || ratio > total.worst.ratio)
      total.worst = { where: `${name}[${i}]: got ${g}, expected ${w}`, error, tolerance, ratio }
  }
  return undefined
}
