/** Formulas of a row in doubles, written out, and the data that composites are tried on. */
import type { Tensor, Value } from '@fep-moe/core'
import { f, noise } from '../frame/data.js'
import { type Example, type ExampleOptions, example } from './case.js'

type X = { readonly x: Tensor }
/** An example of one operand. */
export const on = (
  id: string,
  x: Tensor,
  body: (x: Value) => Value,
  y: Tensor,
  options: ExampleOptions<X> = {},
): Example => example(id, { x }, (v) => ({ y: body(v.x) }), { y }, options)

/** Applies a function of a row to every row of a matrix. */
export const rowwise = (
  t: Tensor,
  width: number,
  value: (row: readonly number[]) => readonly number[],
): number[] =>
  Array.from({ length: t.data.length / width }, (_, r) =>
    value(Array.from(t.data.subarray(r * width, (r + 1) * width))),
  ).flat()

/** log Σ exp, shifted by the largest element. */
export const logSumExp = (row: readonly number[]): number => {
  const peak = Math.max(...row)
  return peak + Math.log(row.reduce((n, v) => n + Math.exp(v - peak), 0))
}
/** exp(x − logSumExp). */
export const softmax = (row: readonly number[]): number[] => row.map((v) => Math.exp(v - logSumExp(row)))
/** Zero mean and unit variance. */
export const normalize = (row: readonly number[], epsilon: number): number[] => {
  const mean = row.reduce((n, v) => n + v, 0) / row.length
  const variance = row.reduce((n, v) => n + (v - mean) ** 2, 0) / row.length
  return row.map((v) => (v - mean) / Math.sqrt(variance + epsilon))
}
/** 1/(1+e^−x) */
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

export const wide = noise(51, [3, 300], -4, 4)
export const small = f([1, 2, 3, -1, 0, 4], [2, 3])
