/** Which values of a graph are known before all of its inputs are. */
import type { Graph } from '../graph/types.js'

/** Names of values that depend on the inputs `known` and on literals alone; these inputs included. */
export function independentOf(graph: Graph, known: readonly string[]): ReadonlySet<string> {
  const early = new Set(known)
  for (const node of graph.nodes)
    if (node.inputs.every((name) => early.has(name))) for (const name of node.outputs) early.add(name)
  return early
}
