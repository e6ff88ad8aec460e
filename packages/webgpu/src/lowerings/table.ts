/** Every operator that this compiler takes, and how it is lowered. The compiler reports one that is missing here. */
import type { PrimitiveName } from '@fep-moe/core'
import { sharedLowerings } from '@fep-moe/core/lowering'
import { indexing } from './indexing.js'
import { layout } from './layout.js'
import { LinearScan } from './linear-scan.js'
import type { LoweringsOf } from './lowering.js'
import { products } from './products.js'
import { reduce } from './reduce.js'
import { type ClaimedComposite, claimedComposites, rows } from './rows.js'
import { Scan } from './scan.js'
import { TopK } from './top-k.js'

/** Primitives, and composites that are one kernel here. */
export type LoweredName = PrimitiveName | ClaimedComposite

/** See the file's header. */
export const lowerings: LoweringsOf<LoweredName> = {
  ...sharedLowerings,
  ...layout,
  ...reduce,
  ...products,
  ...indexing,
  ...rows,
  TopK,
  LinearScan,
  Scan,
}

export { claimedComposites }
