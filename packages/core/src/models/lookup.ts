/** Looking up columns of tables: by a product with one-hot columns where the vocabulary is small, else by Gather. */
import type { Value } from '../graph/builder.js'
import { cast, equal, gather, matmul, reshape } from '../graph/expressions.js'

/** Up to this vocabulary a product is as fast as gathering, forwards and backwards, and shared by all tables. */
const LARGEST_ONE_HOT = 256

/** Tokens, ready to be looked up. */
export interface Lookup {
  /** (V, N), 1 where the token is; only where the vocabulary is small. */
  readonly hot?: Value
  /** Columns of a table (r, V) → (r, N). */
  of(table: Value): Value
}

/** @param tokens int32 (N), each in 0..vocabulary−1 */
export function lookup(tokens: Value, vocabulary: number): Lookup {
  if (vocabulary > LARGEST_ONE_HOT) return { of: (table) => gather(table, tokens, 1) }
  const entries = tokens.builder.constant(
    Array.from({ length: vocabulary }, (_, i) => i),
    [vocabulary, 1],
    'int32',
  )
  const hot = cast(equal(entries, reshape(tokens, [1, -1])), 'float32').named('one_hot')
  return { hot, of: (table) => matmul(table, hot) }
}
