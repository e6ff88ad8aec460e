/**
 * Index spaces: the coordinates of an item, and where views have their element there. Axes that all views walk in step
 * become one, so a contiguous chain needs no division at all.
 */
import type { View } from '@fep-moe/core/lowering'
import { term, type WgslWriter } from './wgsl-writer.js'

/** Further choices of a {@link Space}. */
export interface SpaceOptions {
  /** The axis of the rows of a batch: every workgroup has one of its own, so the item does not say which. */
  readonly row?: number | undefined
  /** Axes whose coordinate is asked for: they are not merged with their neighbors. */
  readonly apart?: readonly number[]
  /** Axes of the views before those of the space. */
  readonly skip?: number
}

interface Axis {
  dim: number
  strides: number[]
  readonly apart: number | undefined
}

/** See the file's header. */
export class Space {
  private readonly parts = new Map<View, string[]>()
  private readonly coordinates = new Map<number, string>()

  /**
   * @param index variable that counts items in row-major order, the row axis left out
   * @param shape of the space; views have its axes, after those that `skip` says
   */
  constructor(
    k: WgslWriter,
    index: string,
    shape: readonly number[],
    views: readonly View[],
    { row, apart = [], skip = 0 }: SpaceOptions = {},
  ) {
    const distinct = [...new Set(views)]
    const strideOf = (view: View, axis: number) => view.strides[skip + axis] as number
    for (const view of distinct) this.parts.set(view, [])
    if (row !== undefined) {
      this.coordinates.set(row, 'row')
      for (const view of distinct) this.add(view, 'row', strideOf(view, row))
    }
    const axes: Axis[] = []
    let merges = false
    shape.forEach((dim, axis) => {
      if (axis === row) return
      const strides = distinct.map((view) => strideOf(view, axis))
      const own = apart.includes(axis)
      if (dim === 1) {
        if (own) this.coordinates.set(axis, '0u')
        return
      }
      const last = axes.at(-1)
      if (last && merges && !own && strides.every((s, v) => last.strides[v] === s * dim)) {
        last.dim *= dim
        last.strides = strides
      } else axes.push({ dim, strides, apart: own ? axis : undefined })
      merges = !own
    })
    let inner = axes.reduce((n, { dim }) => n * dim, 1)
    axes.forEach(({ dim, strides, apart: axis }, n) => {
      inner /= dim
      if (axis === undefined && strides.every((s) => s === 0)) return
      const quotient = inner === 1 ? index : `${index} / ${inner}u`
      const rest = `${inner === 1 ? index : `(${quotient})`} % ${dim}u`
      const code = index === '0u' ? index : n === 0 ? quotient : rest
      const name = k.hold('i', code)
      if (axis !== undefined) this.coordinates.set(axis, name)
      distinct.forEach((view, v) => {
        this.add(view, name, strides[v] as number)
      })
    })
  }

  /** What the coordinates add to a view's place. */
  terms(view: View): readonly string[] {
    return this.parts.get(view) as string[]
  }

  /** The coordinate on an axis that is kept apart, or on the row axis. */
  coordinate(axis: number): string {
    return this.coordinates.get(axis) as string
  }

  private add(view: View, variable: string, stride: number): void {
    if (stride !== 0 && variable !== '0u') this.parts.get(view)?.push(term(variable, stride))
  }
}
