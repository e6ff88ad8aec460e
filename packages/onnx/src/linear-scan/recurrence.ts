/** A linear recurrence while it is being lowered. */
import type { Shape } from '@fep-moe/core'

/** h_t = a_t ⊙ h_{t−1} + b_t along `axis`. */
export interface Recurrence {
  /** ONNX names. */
  readonly a: string
  readonly b: string
  readonly h0: string
  readonly aShape: Shape
  readonly bShape: Shape
  readonly h0Shape: Shape
  /** h0 is zero everywhere, and costs nothing. */
  readonly fromZero: boolean
  readonly axis: number
  readonly reverse: boolean
  /** Name for h; a helper name where absent. */
  readonly output?: string
}

/** h, and how to get its last slice (axis kept) where the form knows better than slicing h. */
export interface Solution {
  readonly h: string
  readonly last?: () => string
}

/** The shape with one axis replaced. */
export const withAxis = (shape: Shape, axis: number, dim: number): Shape =>
  shape.map((d, i) => (i === axis ? dim : d))
