/** The closed table of lowerings. The compiler reports an operator that lacks one. */
import type { ClaimedComposite, LoweringTable } from '../emit/lowering.js'
import { linearScan } from '../linear-scan/lowering.js'
import { composites } from './composites.js'
import { elementwise } from './elementwise.js'
import { indexing } from './indexing.js'
import { layout } from './layout.js'
import { products } from './matmul.js'
import { reduce } from './reduce.js'
import { scan } from './scan.js'

export const lowerings: LoweringTable = {
  ...elementwise,
  ...layout,
  ...reduce,
  ...products,
  ...indexing,
  ...composites,
  LinearScan: linearScan,
  Scan: scan,
}

/** Composites that stay whole on their way here. */
export const claimedComposites: readonly ClaimedComposite[] = [
  'Relu',
  'Linear',
  'Softmax',
  'LogSoftmax',
  'LayerNorm',
  'Gelu',
  'Softplus',
  'ReduceMean',
  'ArgMax',
  'Clip',
]
