/** Pass: computes equal expressions once. Every operator is pure, so equal operator, operands and attributes mean equal results. */
import type { Graph, Node } from '../graph/types.js'
import { rewrite } from './rewrite.js'

/** Common-subexpression elimination, then the duplicates' names resolve to the first. */
export function shareCommonSubexpressions(graph: Graph): Graph {
  const alias = new Map<string, string>()
  const seen = new Map<string, readonly string[]>()
  const nodes: Node[] = []
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => alias.get(name) ?? name)
    const key = JSON.stringify([node.op, inputs, node.attrs])
    const first = seen.get(key)
    if (first) {
      node.outputs.forEach((name, i) => {
        alias.set(name, first[i] as string)
      })
      continue
    }
    seen.set(key, node.outputs)
    nodes.push({ ...node, inputs } as Node)
  }
  if (alias.size === 0) return graph
  return rewrite(
    { ...graph, outputs: graph.outputs.map((o) => ({ ...o, value: alias.get(o.value) ?? o.value })) },
    { nodes },
  )
}
