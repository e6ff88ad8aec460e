/** The closed operator tables. The compiler reports an operator that lacks a rule. */

import { composites } from '../composites/table.js'
import type { CompositeName, OpName } from './attrs.js'
import { binary } from './binary.js'
import type { PrimitiveTable } from './definition.js'
import { indexing } from './indexing.js'
import { layout } from './layout.js'
import { LinearScan } from './linear-scan.js'
import { products } from './matmul.js'
import { reduce } from './reduce.js'
import { Scan } from './scan.js'
import { unary } from './unary.js'

/** Every primitive operator, by name. */
export const primitives: PrimitiveTable = {
  ...unary,
  ...binary,
  ...layout,
  ...reduce,
  ...products,
  ...indexing,
  LinearScan,
  Scan,
}

export { composites }

/** True for operators that have a definition in terms of others. */
export function isComposite(op: OpName): op is CompositeName {
  return Object.hasOwn(composites, op)
}
