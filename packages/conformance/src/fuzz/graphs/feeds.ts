/** What inputs of random graphs are fed with. */
import { bindDim, bindShape, type Dim, type DType, type Shape, type Tensor } from '@fep-moe/core'
import { generator, sizeOfShape } from '../../frame/data.js'

/**
 * How an input is filled.
 * - `noise`: floats in ±2.
 * - `grid`: multiples of 1/2 in ±2, so that ties happen and sums are exact.
 * - `decay`: floats in ±0.95, some of them 0.
 * - `integers`: −4 … 4.
 * - `indices`: valid ones for a dimension, a third of them counted from its end.
 * - `classes`: valid ones that are not negative.
 * - `offsets`: rising bounds of groups of rows; rows before the first and after the last are in no group.
 * - `flags`: false or true.
 */
export type Filling =
  | { readonly kind: 'noise' | 'grid' | 'decay' | 'integers' | 'flags' }
  | { readonly kind: 'indices' | 'classes' | 'offsets'; readonly limit: Dim }

/** An input of a random graph. */
export interface Input {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  readonly filling: Filling
}

/** The largest magnitude that a float filling gives. */
export const FEED_MAGNITUDE = 2

/** Elements for an input. */
export function fillInput({ dtype, shape, filling }: Input, batch: number, seed: number): Tensor {
  const next = generator(seed)
  const bound = bindShape(shape, batch)
  const length = sizeOfShape(bound)
  const below = (n: number) => Math.floor(next() * n)
  const limit = 'limit' in filling ? bindDim(filling.limit, batch) : 0
  const element = (): number => {
    switch (filling.kind) {
      case 'noise':
        return FEED_MAGNITUDE * (2 * next() - 1)
      case 'grid':
        return (below(9) - 4) / 2
      case 'decay':
        return next() < 0.15 ? 0 : 1.9 * next() - 0.95
      case 'integers':
        return below(9) - 4
      case 'flags':
        return below(2)
      case 'indices': {
        const index = below(limit)
        return next() < 1 / 3 ? index - limit : index
      }
      default:
        return filling.kind === 'classes' ? below(limit) : below(limit + 1)
    }
  }
  const values = Array.from({ length }, element)
  if (filling.kind === 'offsets') values.sort((a, b) => a - b)
  const data =
    dtype === 'float32'
      ? Float32Array.from(values)
      : dtype === 'int32'
        ? Int32Array.from(values)
        : Uint8Array.from(values)
  return { dtype, shape: bound, data }
}
