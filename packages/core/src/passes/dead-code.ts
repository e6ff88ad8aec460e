/** Pass: removes nodes that no output depends on. Inputs stay: they are the graph's signature. */
import type { Graph, Node } from '../graph/types.js'
import { rewrite } from './rewrite.js'

/** Dead-code elimination. */
export function eliminateDeadCode(graph: Graph): Graph {
  const live = new Set(graph.outputs.map((o) => o.value))
  const kept: Node[] = []
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i] as Node
    if (!node.outputs.some((name) => live.has(name))) continue
    for (const name of node.inputs) live.add(name)
    kept.push(node)
  }
  return kept.length === graph.nodes.length ? graph : rewrite(graph, { nodes: kept.reverse() })
}
