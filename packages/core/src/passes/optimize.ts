/** The passes in their usual order. */
import type { Graph } from '../graph/types.js'
import { shareCommonSubexpressions } from './common-subexpressions.js'
import { eliminateDeadCode } from './dead-code.js'
import { foldConstants } from './fold-constants.js'
import { narrowProducts } from './narrow-products.js'

/** Dead code, constants, common subexpressions, narrower products, dead code. Exact: results keep their bits, but for rounding in folded literals. */
export function optimize(graph: Graph): Graph {
  return eliminateDeadCode(narrowProducts(shareCommonSubexpressions(foldConstants(eliminateDeadCode(graph)))))
}
