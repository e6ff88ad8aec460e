/** Reductions and running sums as loops. Sums are taken in doubles and rounded once. */
import type { TensorData } from '@fep-moe/core'
import { type Nest, walkRows } from './nest.js'

/** Sums along a nest of two operands, source and result. */
export function runSum(nest: Nest, x: TensorData, out: TensorData): void {
  const totals = new Float64Array(out.length)
  walkRows(nest, [0, 0], (at, steps, count) => {
    let [i, k] = at as [number, number]
    const [di, dk] = steps as [number, number]
    if (dk === 0) {
      let total = 0
      for (let n = 0; n < count; n++, i += di) total += x[i] as number
      ;(totals[k] as number) += total
    } else for (let n = 0; n < count; n++, i += di, k += dk) (totals[k] as number) += x[i] as number
  })
  out.set(totals)
}

/** Maxima along such a nest; of nothing, the least value: −∞, which an integer stores as 0. */
export function runMax(nest: Nest, x: TensorData, out: TensorData): void {
  const best = new Float64Array(out.length).fill(Number.NEGATIVE_INFINITY)
  walkRows(nest, [0, 0], (at, steps, count) => {
    let [i, k] = at as [number, number]
    const [di, dk] = steps as [number, number]
    if (dk === 0) {
      let most = best[k] as number
      for (let n = 0; n < count; n++, i += di) most = Math.max(most, x[i] as number)
      best[k] = most
    } else
      for (let n = 0; n < count; n++, i += di, k += dk) best[k] = Math.max(best[k] as number, x[i] as number)
  })
  out.set(best)
}

/** Sizes around an axis. */
export interface Around {
  readonly outer: number
  readonly length: number
  readonly inner: number
}

/** Running sums along an axis. */
export function runCumSum(
  { outer, length, inner }: Around,
  { exclusive, reverse }: { readonly exclusive: boolean; readonly reverse: boolean },
  x: TensorData,
  out: TensorData,
): void {
  const step = reverse ? -inner : inner
  for (let o = 0; o < outer; o++) {
    const start = o * length * inner + (reverse ? (length - 1) * inner : 0)
    for (let i = 0; i < inner; i++) {
      let total = 0
      for (let n = 0, at = start + i; n < length; n++, at += step) {
        const before = total
        total += x[at] as number
        out[at] = exclusive ? before : total
      }
    }
  }
}

/** h_t = a_t h_{t−1} + b_t along an axis: a recurrence over the lanes of every step, in the order of time. */
export function runRecurrence(
  nest: Nest,
  { steps, aStep, bStep, reverse }: { steps: number; aStep: number; bStep: number; reverse: boolean },
  [a, b, h0]: readonly [TensorData, TensorData, TensorData],
  [h, last]: readonly [TensorData, TensorData],
): void {
  walkRows(nest, [0, 0, 0, 0], (at, strides, count) => {
    const [ai, bi, hi, li] = at as [number, number, number, number]
    const [da, db, dh, dl] = strides as [number, number, number, number]
    for (let n = 0; n < count; n++) last[li + n * dl] = h0[hi + n * dh] as number
    for (let s = 0; s < steps; s++) {
      const t = reverse ? steps - 1 - s : s
      let i = ai + t * aStep
      let j = bi + t * bStep
      let l = li
      for (let n = 0; n < count; n++, i += da, j += db, l += dl) {
        const value = (a[i] as number) * (last[l] as number) + (b[j] as number)
        h[j] = value
        last[l] = value
      }
    }
  })
}
