/** Which elements a backend's declaration leaves open. */
import { type Capabilities, expandComposites, type Graph, type OpName } from '@fep-moe/core'

/**
 * - `all`: the backend promises IEEE 754 for every operator of the graph.
 * - `independent`: results that depend on a non-finite operand may be anything.
 * - `other-lanes`: an operator of the graph is declared an exception: it may spoil the lane, too.
 */
export type Judged = 'all' | 'independent' | 'other-lanes'

/** What is judged of a graph. */
export function judgedOf(graph: Graph, { nonFinite, composites }: Capabilities): Judged {
  const run = expandComposites(graph, (op) => composites.includes(op))
  const excepted = [...operatorsIn(graph), ...operatorsIn(run)].some((op) =>
    Object.hasOwn(nonFinite.except, op),
  )
  return excepted ? 'other-lanes' : nonFinite.policy === 'ieee' ? 'all' : 'independent'
}

const operatorsIn = (graph: Graph): OpName[] =>
  graph.nodes.flatMap((node) => (node.op === 'Scan' ? [node.op, ...operatorsIn(node.attrs.body)] : [node.op]))
