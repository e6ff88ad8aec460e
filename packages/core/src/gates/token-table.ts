/**
 * Tokens that are columns of a small table. A linear layer of them is a linear layer of the table, looked up: W e_v is
 * column v of W E. Exact up to rounding, and no gradient flows into the lookup.
 */
import type { Value } from '../graph/builder.js'
import { concat, matmul, slice } from '../graph/expressions.js'
import { project } from './feature-major.js'

/** N tokens and the table they come from. */
export interface TokenTable {
  /** (d, V) */
  readonly table: Value
  /** One-hot columns (V, N). */
  readonly hot: Value
}

/**
 * Whether a table saves multiplications in training. Per token and unit a layer takes d of them forwards, d for its weights
 * and d for its inputs; with one-hot columns V, V and none.
 */
export const savesProducts = (dim: number, vocabulary: number): boolean => 2 * vocabulary < 3 * dim

/** A linear layer on the tokens alone, or on [token; context]. */
export type TokenLayer = (weight: Value, bias?: Value) => Value

/**
 * Layers whose input is a token, beside a context where there is one.
 * @param x (d, N), read only where there is no table
 * @param context (c, N)
 */
export function tokenLayer(x: Value, context?: Value, tokens?: TokenTable): TokenLayer {
  const join = (a: Value, b: Value | undefined, axis: number) => (b ? concat([a, b], axis) : a)
  if (!tokens) return (weight, bias) => project(join(x, context, 0), weight, bias)
  const dim = tokens.table.shape[0] as number
  return (weight, bias) => {
    const ofToken = context ? slice(weight, 1, 0, dim) : weight
    const ofContext = context && slice(weight, 1, dim)
    return project(join(tokens.hot, context, 0), join(matmul(ofToken, tokens.table), ofContext, 1), bias)
  }
}
