/** The closed table of lowerings. The compiler reports an operator that lacks one. */
import { composites } from './composites.js'
import { elementwise } from './elementwise.js'
import { gather, gatherElements } from './gather.js'
import { groupedMatmul } from './grouped-matmul.js'
import { layout } from './layout.js'
import { linearScan } from './linear-scan.js'
import type { LoweringTable } from './lowering.js'
import { matmul } from './matmul.js'
import { reduce } from './reduce.js'
import { scan } from './scan.js'
import { scatterElements, scatterRows } from './scatter.js'
import { topK } from './top-k.js'

export const lowerings: LoweringTable = {
  ...elementwise,
  ...layout,
  ...reduce,
  MatMul: matmul,
  GroupedMatMul: groupedMatmul,
  Gather: gather,
  GatherElements: gatherElements,
  ScatterND: scatterRows,
  ScatterElements: scatterElements,
  TopK: topK,
  ...composites,
  LinearScan: linearScan,
  Scan: scan,
}
