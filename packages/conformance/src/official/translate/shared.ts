/** What translations share. */
import type { Shape, Value } from '@fep-moe/core'
import { type Call, refuse } from '../call.js'

/** Axes counted from the front. */
export const axesIn = (axes: readonly number[], rank: number): number[] =>
  axes.map((a) => (a < 0 ? a + rank : a))

/** The axes of a reduction (an operand, or an attribute in old operator sets), whether they stay, and the operand. */
export function reduction(call: Call): {
  readonly x: Value
  readonly axes: readonly number[]
  readonly keepdims: boolean
} {
  if (call.info(0).dtype === 'bool') refuse('bool; ours reduces numbers')
  const x = call.value(0)
  const given = call.has(1) ? call.numbers(1) : (call.list('axes') ?? [])
  const all = given.length === 0 && call.number('noop_with_empty_axes', 0) === 0
  return {
    x,
    axes: all ? x.shape.map((_, i) => i) : axesIn(given, x.shape.length).sort((a, b) => a - b),
    keepdims: call.number('keepdims', 1) !== 0,
  }
}

/** Elements of a shape; vectors have numbers only. */
export const countIn = (shape: Shape): number => (shape as readonly number[]).reduce((n, d) => n * d, 1)
