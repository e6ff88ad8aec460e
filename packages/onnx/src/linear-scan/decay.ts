/**
 * Powers of `a`, for an `a` that is constant over time with its lanes in front of the scanned axis. They are computed
 * once per lane and exponent (T powers, not T²) and then laid out; so a = 0 and negative a are exact. Recurrences over
 * the same `a` share them, in both directions.
 */
import { mergeDims, type Shape } from '@fep-moe/core'
import type { GraphWriter } from '../emit/writer.js'
import { reshapeTo } from '../lowerings/layout.js'
import type { Recurrence } from './recurrence.js'

const range = (n: number) => Array.from({ length: n }, (_, i) => i)

/** The lanes of `a`: its axes before the scanned one. */
export const laneShape = ({ aShape, axis }: Recurrence): Shape => aShape.slice(0, axis)

/** aᵏ for k = 0 … `highest`, shape (highest + 1, lanes…): exponents first, so that a Gather copies whole rows. */
function powers(w: GraphWriter, r: Recurrence, highest: number): string {
  return w.once(`powers(${r.a},${highest})`, () => {
    const lanes = laneShape(r)
    const row = reshapeTo(w, r.a, [1, ...lanes])
    const exponents = w.constant('float32', range(highest + 1), [highest + 1, ...lanes.map(() => 1)])
    return w.op('Pow', [row, exponents])
  })
}

/** aᵏ for a list of k, shape (lanes…, k). */
export function decayPowers(
  w: GraphWriter,
  r: Recurrence,
  highest: number,
  exponents: readonly number[],
): string {
  const picked = w.op('Gather', [powers(w, r, highest), w.constant('int32', exponents)], { axis: 0 })
  const rank = laneShape(r).length
  return rank === 0 ? picked : w.op('Transpose', [picked], { perm: [...range(rank).map((i) => i + 1), 0] })
}

/**
 * Rows of powers by a table of exponents; −1 stands for a zero entry. The table is gathered flat and transposed as a
 * matrix: ONNX Runtime does both by whole rows.
 * @returns shape (lanes…, rows, columns)
 */
function layPowers(
  w: GraphWriter,
  r: Recurrence,
  steps: number,
  rows: readonly (readonly number[])[],
  label: string,
): string {
  return w.once(`decay(${r.a},${steps},${label})`, () => {
    const lanes = laneShape(r)
    const flat = lanes.length === 1
    const table = flat
      ? powers(w, r, steps)
      : reshapeTo(w, powers(w, r, steps), [steps + 1, mergeDims(lanes)])
    const withZero = w.op('Pad', [table, w.constant('int64', [0, 0, 1, 0]), w.scalar(0)])
    const exponents = rows.flat().map((k) => (k < 0 ? steps + 1 : k))
    const laid = w.op('Gather', [withZero, w.constant('int32', exponents)], { axis: 0 })
    const columns = (rows[0] as readonly number[]).length
    return reshapeTo(w, w.op('Transpose', [laid], { perm: [1, 0] }), [...lanes, rows.length, columns])
  })
}

/**
 * D[t, s] = a^(t−s) for s ≤ t, else 0, so that h = D b; its transpose where time runs in reverse. That one is laid out
 * anew: ONNX Runtime merges a Transpose with the one above into a slow general copy.
 */
export function decayMatrix(w: GraphWriter, r: Recurrence, steps: number): string {
  const distance = (t: number, s: number) => (r.reverse ? s - t : t - s)
  const rows = range(steps).map((t) => range(steps).map((s) => Math.max(-1, distance(t, s))))
  return layPowers(w, r, steps, rows, r.reverse ? 'reverse' : 'forward')
}

/** The decay matrix with a column for h0: first where time runs forward, last where it runs in reverse. */
export function decayMatrixWithInitial(w: GraphWriter, r: Recurrence, steps: number): string {
  const distance = (t: number, s: number) => (r.reverse ? s - t : t + 1 - s)
  const rows = range(steps).map((t) => range(steps + 1).map((s) => Math.max(-1, distance(t, s))))
  return layPowers(w, r, steps, rows, r.reverse ? 'to the end' : 'from the start')
}
