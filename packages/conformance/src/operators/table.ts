/** The closed table: an operator without an example does not compile. */
import type { OpName } from '@fep-moe/core'
import type { GraphCase } from '../frame/case.js'
import { activations } from './activations.js'
import { binary } from './binary.js'
import { type ExamplesOf, operatorCases } from './case.js'
import { indexing } from './indexing.js'
import { layers } from './layers.js'
import { layout } from './layout.js'
import { LinearScan } from './linear-scan.js'
import { products } from './products.js'
import { reduce } from './reduce.js'
import { rows } from './rows.js'
import { Scan } from './scan.js'
import { unary } from './unary.js'

/** Examples of every operator. */
export const examples: ExamplesOf<OpName> = {
  ...unary,
  ...binary,
  ...layout,
  ...reduce,
  ...products,
  ...indexing,
  LinearScan,
  Scan,
  ...activations,
  ...rows,
  ...layers,
}

/** Every case of the group `operators`. */
export const operators = (): GraphCase[] =>
  Object.entries(examples).flatMap(([op, own]) => operatorCases(op as OpName, own))
