/** Every primitive and how it is lowered. The compiler reports an operator that is missing here. */
import type { PrimitiveName } from '@fep-moe/core'
import { sharedLowerings } from '@fep-moe/core/lowering'
import { indexing } from './indexing.js'
import { layout } from './layout.js'
import { LinearScan } from './linear-scan.js'
import type { LoweringsOf } from './lowering.js'
import { products } from './products.js'
import { reduce } from './reduce.js'
import { Scan } from './scan.js'
import { TopK } from './top-k.js'

/** See the file's header. */
export const lowerings: LoweringsOf<PrimitiveName> = {
  ...sharedLowerings,
  ...layout,
  ...reduce,
  ...products,
  ...indexing,
  TopK,
  LinearScan,
  Scan,
}
