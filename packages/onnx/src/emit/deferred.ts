/**
 * Values that are not written until somebody reads them whole: rows that lie in groups, and matrices in a stack. What works on
 * the parts (a product per group, an activation between two products) then neither joins nor cuts them: for rows that do not fit
 * into a cache, copies are a good part of the time.
 */

/** Rows in groups whose sizes are data. */
export interface GroupedRows {
  readonly kind: 'rows'
  /** int64 vector: rows before the first group, of every group, after the last. */
  readonly sizes: string
  /** (n, h) each. */
  readonly parts: readonly string[]
  /** Rows before the first group, or after the last, written on demand. */
  rest(which: 'before' | 'after'): string
}

/** Matrices of one shape, one behind the other. */
export interface MatrixStack {
  readonly kind: 'stack'
  readonly count: number
  /** Matrix e of rank 2, not transposed. */
  matrix(e: number): string
  /** Each is meant transposed. */
  readonly transposed: boolean
}

/** Rows that are picked out of a matrix. */
export interface PickedRows {
  readonly kind: 'picked'
  readonly from: string
  /** int32 (R) */
  readonly indices: string
}

/** A value that is not written yet. */
export interface Deferred {
  readonly value: GroupedRows | MatrixStack | PickedRows
  /** Writes it under its name. */
  write(): void
}
