/**
 * Views: an array seen through an offset and strides. Reshape, Transpose, Expand and Slice only make another view; no
 * element moves until something is computed from it.
 */
import { countOf, stridesOf } from '../graph/shape.js'
import type { DType } from '../graph/types.js'

/** One array of a compiled program. */
export interface Buffer {
  /** Unique in its program. */
  readonly name: string
  /**
   * A feed is the caller's, a constant is made once, memory belongs to the program and is reused; panels are a constant
   * matrix that lies beside that memory, in an order that a kernel of the backend wants.
   */
  readonly kind: 'feed' | 'constant' | 'memory' | 'panels'
  /** float64 is scratch of a kernel or panels, never a value of a graph. */
  readonly dtype: DType | 'float64'
  readonly length: number
}

/** Part of an offset that is known when the code runs: a variable of the generated code times a stride. */
export interface Step {
  readonly variable: string
  readonly stride: number
}

/** Element (i, j, …) is buffer[offset + Σ steps + i·strides[0] + j·strides[1] + …]. */
export interface View {
  readonly buffer: Buffer
  readonly offset: number
  readonly steps: readonly Step[]
  readonly shape: readonly number[]
  readonly strides: readonly number[]
}

/** A whole buffer, row-major. */
export const wholeView = (buffer: Buffer, shape: readonly number[]): View => ({
  buffer,
  offset: 0,
  steps: [],
  shape,
  strides: stridesOf(shape),
})

/** True where elements lie in row-major order without gaps. */
export function isContiguous({ shape, strides }: View): boolean {
  const dense = stridesOf(shape)
  return countOf(shape) === 0 || shape.every((dim, i) => dim === 1 || strides[i] === dense[i])
}

/** Axis i of the result is axis perm[i] of the view. */
export const permuteView = (view: View, perm: readonly number[]): View => ({
  ...view,
  shape: perm.map((p) => view.shape[p] as number),
  strides: perm.map((p) => view.strides[p] as number),
})

/** ONNX broadcasting: what repeats has stride 0. */
export function broadcastView(view: View, shape: readonly number[]): View {
  const lead = shape.length - view.shape.length
  const strides = shape.map((_, i) =>
    i < lead || view.shape[i - lead] === 1 ? 0 : (view.strides[i - lead] as number),
  )
  return { ...view, shape, strides }
}

/** Elements start..start+length of one axis. */
export const sliceView = (view: View, axis: number, start: number, length: number): View => ({
  ...view,
  offset: view.offset + start * (view.strides[axis] as number),
  shape: view.shape.map((dim, i) => (i === axis ? length : dim)),
})

/** One axis walked from its end. */
export const flipView = (view: View, axis: number): View => ({
  ...view,
  offset: view.offset + Math.max((view.shape[axis] as number) - 1, 0) * (view.strides[axis] as number),
  strides: view.strides.map((stride, i) => (i === axis ? -stride : stride)),
})

/** The slice at an index of one axis that a variable of the generated code holds; the axis is gone. */
export function pickView(view: View, axis: number, variable: string): View {
  const stride = view.strides[axis] as number
  const rest = <T>(list: readonly T[]) => list.filter((_, i) => i !== axis)
  return {
    ...view,
    steps: stride === 0 ? view.steps : [...view.steps, { variable, stride }],
    shape: rest(view.shape),
    strides: rest(view.strides),
  }
}

/** The same elements under another shape; undefined where strides cannot say it and elements must move. */
export function reshapeView(view: View, shape: readonly number[]): View | undefined {
  const strides = new Array<number>(shape.length).fill(0)
  if (countOf(shape) === 0) return { ...view, shape, strides }
  const old = view.shape.flatMap((dim, i) => (dim === 1 ? [] : [{ dim, stride: view.strides[i] as number }]))
  let [from, to] = [0, 0]
  // Match runs of old axes with runs of new ones that hold as many elements; inside a run, old axes must be dense.
  while (from < old.length) {
    let [oldEnd, newEnd] = [from + 1, to + 1]
    let [oldCount, newCount] = [(old[from] as { dim: number }).dim, shape[to] as number]
    while (oldCount !== newCount) {
      if (oldCount < newCount) oldCount *= (old[oldEnd++] as { dim: number }).dim
      else newCount *= shape[newEnd++] as number
    }
    for (let k = from; k + 1 < oldEnd; k++) {
      const [outer, inner] = [old[k], old[k + 1]] as { dim: number; stride: number }[]
      if (outer!.stride !== inner!.stride * inner!.dim) return undefined
    }
    let stride = (old[oldEnd - 1] as { stride: number }).stride
    for (let k = newEnd - 1; k >= to; k--) {
      strides[k] = stride
      stride *= shape[k] as number
    }
    ;[from, to] = [oldEnd, newEnd]
  }
  return { ...view, shape, strides }
}
