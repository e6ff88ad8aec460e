/** Pass: replaces composites by their definitions, except those that a backend claims. */
import type { Graph, Node } from '../graph/types.js'
import type { CompositeName } from '../ops/attrs.js'
import { composites, isComposite } from '../ops/table.js'
import { rewrite } from './rewrite.js'

/** The graph with composites replaced by their definitions. @param keep which ones stay nodes; default none */
export function expandComposites(graph: Graph, keep: (op: CompositeName) => boolean = () => false): Graph {
  const touched = (node: Node): boolean =>
    (isComposite(node.op) && !keep(node.op)) || (node.op === 'Scan' && node.attrs.body.nodes.some(touched))
  if (!graph.nodes.some(touched)) return graph
  const expanded = rewrite(graph, {
    emit: (builder) => (node, operands) => {
      if (isComposite(node.op) && !keep(node.op)) {
        const { define } = composites[node.op]
        return builder.scope(node.outputs[0] as string, () => define(operands, node.attrs as never))
      }
      if (node.op !== 'Scan') return builder.emit(node.op, operands, node.attrs)
      return builder.emit('Scan', operands, { ...node.attrs, body: expandComposites(node.attrs.body, keep) })
    },
  })
  // A definition may use other composites (LayerNorm uses ReduceMean).
  return expandComposites(expanded, keep)
}
