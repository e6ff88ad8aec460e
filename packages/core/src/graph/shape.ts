/** Shape arithmetic with the symbol `batch`: products, broadcasting, axes, binding. */
import { FepError } from '../errors.js'
import type { BatchDim, Dim, DType, Shape, ValueInfo } from './types.js'

/** A monomial n · batch^p: what a product of dimensions is. */
export interface Extent {
  readonly factor: number
  readonly power: number
}

/** Splits a dimension into its number and its power of `batch`. */
export function extent(dim: Dim): Extent {
  if (typeof dim === 'number') return { factor: dim, power: 0 }
  if (dim === 'batch') return { factor: 1, power: 1 }
  return { factor: Number.parseInt(dim, 10), power: 1 }
}

/** True where the value is a legal dimension. */
export function isDim(dim: unknown): dim is Dim {
  if (typeof dim === 'number') return Number.isSafeInteger(dim) && dim >= 0
  return dim === 'batch' || (typeof dim === 'string' && /^(?:[2-9]|[1-9]\d+)\*batch$/.test(dim))
}

/** Element count of a shape as a monomial in `batch`. */
export function sizeOf(shape: Shape): Extent {
  let factor = 1
  let power = 0
  for (const dim of shape) {
    const e = extent(dim)
    factor *= e.factor
    power += e.power
  }
  return { factor, power }
}

/** The product of dimensions as one dimension. @throws FEP_BAD_GRAPH where it would be batch². */
export function mergeDims(dims: Shape): Dim {
  const { factor, power } = sizeOf(dims)
  if (power === 0 || factor === 0) return factor
  if (power > 1)
    throw new FepError(
      'FEP_BAD_GRAPH',
      `dimensions ${formatShape(dims)} merge to batch^${power}; at most one may be symbolic`,
    )
  return factor === 1 ? 'batch' : (`${factor}*batch` as BatchDim)
}

/** `(batch, 12, 16)` */
export function formatShape(shape: Shape): string {
  return `(${shape.join(', ')})`
}

/** `float32(batch, 12, 16)` */
export function formatInfo(info: ValueInfo): string {
  return `${info.dtype}${formatShape(info.shape)}`
}

/** Element-wise equality of two shapes, symbols included. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i])
}

/** The shape two or more operands broadcast to (ONNX multidirectional broadcasting). `batch` meets itself or 1. */
export function broadcastShapes(...shapes: Shape[]): Shape {
  const rank = Math.max(...shapes.map((s) => s.length))
  const out: Dim[] = []
  for (let i = 0; i < rank; i++) {
    let dim: Dim = 1
    for (const shape of shapes) {
      const d = shape[i - rank + shape.length]
      if (d === undefined || d === 1 || d === dim) continue
      if (dim !== 1)
        throw new FepError(
          'FEP_BAD_GRAPH',
          `shapes ${shapes.map(formatShape).join(' and ')} do not broadcast: ${dim} against ${d}`,
        )
      dim = d
    }
    out.push(dim)
  }
  return out
}

/** Makes an axis non-negative. @throws FEP_BAD_GRAPH where it is outside [-rank, rank). */
export function normalizeAxis(axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new FepError('FEP_BAD_GRAPH', `axis ${axis} is outside [${-rank}, ${rank})`)
  }
  return axis < 0 ? axis + rank : axis
}

/** Replaces `batch` by a number. */
export function bindDim(dim: Dim, batch: number): number {
  if (typeof dim === 'number') return dim
  return extent(dim).factor * batch
}

/** Replaces `batch` by a number in a whole shape. */
export function bindShape(shape: Shape, batch: number): number[] {
  return shape.map((dim) => bindDim(dim, batch))
}

/** Element count of a numeric shape. @throws FEP_BAD_GRAPH where the shape is still symbolic. */
export function countOf(shape: Shape): number {
  let n = 1
  for (const dim of shape) {
    if (typeof dim !== 'number')
      throw new FepError('FEP_BAD_GRAPH', `shape ${formatShape(shape)} is symbolic; bind the batch first`)
    n *= dim
  }
  return n
}

/** Row-major strides of a numeric shape. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  let step = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step
    step *= shape[i] as number
  }
  return strides
}

/** Bytes per element. */
export const BYTES: Readonly<Record<DType, number>> = { float32: 4, int32: 4, bool: 1 }
