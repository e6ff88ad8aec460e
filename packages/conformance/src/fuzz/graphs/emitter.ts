/** What emitters share. */
import type { Dim, DType, Shape } from '@fep-moe/core'
import type { Assembly, Known, Picks } from './assembly.js'
import type { Step } from './recipe.js'

/** Adds one operator to a graph, and what it needs around it. */
export type Emitter = (assembly: Assembly, picks: Picks, step: Step) => void

/** A known dimension that is not empty. */
export const isFilled = (dim: Dim): dim is number => typeof dim === 'number' && dim >= 1
/** A dimension that is not empty, the batch included. */
export const notEmpty = (dim: Dim): boolean => dim !== 0
/** A known dimension. */
export const isKnown = (dim: Dim): dim is number => typeof dim === 'number'

/** An operand with an axis that will do, and such an axis. */
export function alongAxis(
  assembly: Assembly,
  picks: Picks,
  dtype: DType,
  fits: (dim: Dim) => boolean,
): Known & { readonly axis: number } {
  const known = assembly.operand(
    picks,
    dtype,
    (shape) => shape.some(fits),
    () => {
      const shape = assembly.shape(picks)
      return shape.some(fits) ? shape : [...shape.slice(0, 2), 2]
    },
  )
  const { shape } = known.value
  return { ...known, axis: picks.from(shape.flatMap((d, i) => (fits(d) ? [i] : []))) }
}

/** Some of the axes that will do; perhaps none. */
export const someAxes = (picks: Picks, shape: Shape, fits: (dim: Dim) => boolean): number[] =>
  shape.flatMap((d, i) => (fits(d) && picks.once(3) ? [i] : []))

/** A shape with one dimension changed. */
export const withDim = (shape: Shape, axis: number, dim: Dim): Shape =>
  shape.map((d, i) => (i === axis ? dim : d))

/** A shape without one dimension. */
export const withoutDim = (shape: Shape, axis: number): Shape => shape.filter((_, i) => i !== axis)
