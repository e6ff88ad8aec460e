/** The passes in their usual order. */
import type { Graph } from '../graph/types.js'
import { shareCommonSubexpressions } from './common-subexpressions.js'
import { eliminateDeadCode } from './dead-code.js'
import { foldConstants } from './fold-constants.js'

/** Dead code, constants, common subexpressions, dead code. Exact: results keep their bits, but for rounding in folded literals. */
export function optimize(graph: Graph): Graph {
  return eliminateDeadCode(shareCommonSubexpressions(foldConstants(eliminateDeadCode(graph))))
}
