/**
 * Which form a LinearScan takes. A pure function of shapes: the same graph always becomes the same model. The
 * thresholds come from measurements (`packages/onnx/bench/linear-scan.mjs` repeats them).
 */
import { type Dim, extent, type Shape, sizeOf } from '@fep-moe/core'

/**
 * - `empty`: no steps, or no lanes (ONNX Runtime 1.30 ends the process on a Scan over states without elements).
 * - `step`: one step, a·h + b.
 * - `product`: one batched product with the decay matrix (T,T), whose entries are powers of `a`.
 * - `chunks`: that product inside chunks, and a short recurrence from chunk to chunk.
 * - `scan`: an ONNX Scan, one step at a time.
 */
export type LinearScanForm = 'empty' | 'step' | 'product' | 'chunks' | 'scan'

/** Longest axis for one product: its work grows with T², and at 64 steps it meets the recurrence. */
export const PRODUCT_STEPS = 64

/** Steps per chunk. */
export const CHUNK_STEPS = 64

/** Most parallel lanes (elements per step) for chunks: with more, a step of the recurrence amortizes its overhead. */
export const CHUNK_LANES = 512

/** What decides. */
export interface LinearScanShape {
  readonly a: Shape
  readonly b: Shape
  readonly axis: number
  /** Batch size to assume where the shape is symbolic. */
  readonly batchHint: number
}

/** Chooses the form. */
export function chooseLinearScan({ a, b, axis, batchHint }: LinearScanShape): LinearScanForm {
  const steps = b[axis] as number
  if (b.includes(0)) return 'empty'
  if (steps === 1) return 'step'
  // A product needs `a` constant over time, and its lanes in front of the scanned axis: transposing costs more.
  const lanesInFront = a.every((d, i) => i <= axis || d === 1)
  const oneColumnBlock = sizeOf(b.slice(axis + 1)).power <= 1
  if (a[axis] !== 1 || !lanesInFront || !oneColumnBlock) return 'scan'
  if (steps <= PRODUCT_STEPS) return 'product'
  const lanes = b.reduce<number>((n, d, i) => (i === axis ? n : n * assumed(d, batchHint)), 1)
  return lanes <= CHUNK_LANES ? 'chunks' : 'scan'
}

const assumed = (dim: Dim, batchHint: number): number =>
  typeof dim === 'number' ? dim : extent(dim).factor * batchHint
