/** Pass: replaces the symbol `batch` by a number everywhere, Scan bodies included. */
import { bindShape } from '../graph/shape.js'
import type { Graph, Node } from '../graph/types.js'
import { rewrite } from './rewrite.js'

/** The graph with a number in place of the symbol `batch`. @param batch size, an integer >= 0 */
export function bindBatch(graph: Graph, batch: number): Graph {
  return rewrite(graph, {
    inputShape: (shape) => bindShape(shape, batch),
    nodes: graph.nodes.map((node) => bindNode(node, batch)),
  })
}

function bindNode(node: Node, batch: number): Node {
  if (node.op === 'Reshape' || node.op === 'Expand')
    return { ...node, attrs: { shape: bindShape(node.attrs.shape, batch) } }
  if (node.op === 'Scan')
    return { ...node, attrs: { ...node.attrs, body: bindBatch(node.attrs.body, batch) } }
  return node
}
