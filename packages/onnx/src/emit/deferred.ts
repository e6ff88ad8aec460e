/**
 * Values that are not written until somebody reads them whole: rows that lie in groups, and matrices in a stack. What works on
 * the parts (a product per group, an activation between two products) then neither joins nor cuts them: for rows that do not fit
 * into a cache, copies are a good part of the time.
 */

/** Columns from..to of a matrix. */
export type Columns = readonly [from: number, to: number]

/** Rows in groups whose sizes are data. */
export interface GroupedRows {
  readonly kind: 'rows'
  /** int64 vector: rows before the first group, of every group, after the last. */
  readonly sizes: string
  /** Number of groups. */
  readonly groups: number
  /** True where some of the columns can be had without computing the others. */
  readonly cuts: boolean
  /** Rows of group e, (n, h), or only some columns of them where that can be had. */
  part(e: number, columns?: Columns): string
  /** Rows before the first group, or after the last, written on demand. */
  rest(which: 'before' | 'after'): string
}

/** Matrices of one shape, one behind the other. */
export interface MatrixStack {
  readonly kind: 'stack'
  readonly count: number
  /** Matrix e of rank 2, not transposed. */
  matrix(e: number): string
  /** Some rows and columns of what is meant by matrix e, in the order in which it is kept. Only literals can be cut. */
  readonly cut?: (e: number, rows: Columns | undefined, columns: Columns | undefined) => string
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
