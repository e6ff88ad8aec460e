/** Loop nests over row-major arrays: operands seen through strides, neighboring axes merged where that changes nothing. */
import { stridesOf } from '@fep-moe/core'

/** An iteration space: sizes, outermost first, and per operand the stride of each axis. Never empty of axes. */
export interface Nest {
  readonly sizes: readonly number[]
  readonly strides: readonly (readonly number[])[]
}

/** Strides of an operand seen through a broadcast shape; 0 where it repeats. */
export function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const own = stridesOf(from)
  const lead = to.length - from.length
  return to.map((_, i) => (i < lead || from[i - lead] === 1 ? 0 : (own[i - lead] as number)))
}

/** Drops axes of one element and merges axes that every operand walks as one. */
export function collapse(shape: readonly number[], strides: readonly (readonly number[])[]): Nest {
  const sizes: number[] = []
  const merged: number[][] = strides.map(() => [])
  shape.forEach((size, axis) => {
    if (size === 1) return
    const last = sizes.length - 1
    const continues = last >= 0 && strides.every((s, k) => merged[k]?.[last] === (s[axis] as number) * size)
    if (continues) sizes[last] = (sizes[last] as number) * size
    else sizes.push(size)
    const at = sizes.length - 1
    strides.forEach((s, k) => {
      ;(merged[k] as number[])[at] = s[axis] as number
    })
  })
  if (sizes.length === 0) return { sizes: [1], strides: strides.map(() => [1]) }
  return { sizes, strides: merged }
}

/** The nest of an elementwise operator: its result (stride 1 throughout) is the last operand. */
export function elementwiseNest(out: readonly number[], operands: readonly (readonly number[])[]): Nest {
  return collapse(out, [...operands.map((shape) => broadcastStrides(shape, out)), stridesOf(out)])
}

/** What runs along the innermost axis: offsets and strides per operand, and how many elements. */
export type Row = (at: readonly number[], steps: readonly number[], count: number) => void

/** Calls `row` for every position of the outer axes. */
export function walkRows({ sizes, strides }: Nest, starts: readonly number[], row: Row): void {
  if (sizes.includes(0)) return
  const inner = sizes.length - 1
  const count = sizes[inner] as number
  const steps = strides.map((s) => s[inner] as number)
  const at = [...starts]
  const index = new Array<number>(inner).fill(0)
  for (;;) {
    row(at, steps, count)
    let axis = inner - 1
    for (; axis >= 0; axis--) {
      const size = sizes[axis] as number
      if (++(index[axis] as number) < size) {
        for (let k = 0; k < at.length; k++) (at[k] as number) += (strides[k] as number[])[axis] as number
        break
      }
      index[axis] = 0
      for (let k = 0; k < at.length; k++)
        (at[k] as number) -= ((strides[k] as number[])[axis] as number) * (size - 1)
    }
    if (axis < 0) return
  }
}
