/**
 * Pass: where only some rows of a matrix product are used, only those are computed: Slice(A B) = Slice(A) B. The gradient
 * of a concatenation asks for such slices.
 */
import type { Value } from '../graph/builder.js'
import type { Graph, Node, ValueInfo } from '../graph/types.js'
import { rewrite } from './rewrite.js'

/** Slices of product rows move to the left operand, where every use of the product is such a slice. */
export function narrowProducts(graph: Graph): Graph {
  const producer = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
  const exposed = new Set(graph.outputs.map((o) => o.value))
  const users = new Map<string, Node[]>()
  for (const node of graph.nodes)
    for (const name of node.inputs) users.set(name, [...(users.get(name) ?? []), node])
  const narrows = (node: Node): boolean => {
    const product = node.op === 'Slice' ? producer.get(node.inputs[0] as string) : undefined
    if (product?.op !== 'MatMul' || exposed.has(product.outputs[0] as string)) return false
    return (users.get(product.outputs[0] as string) ?? []).every((user) => slicesRows(graph, user))
  }
  if (!graph.nodes.some(narrows)) return graph

  return rewrite(graph, {
    emit: (builder) => (node, operands, value) => {
      if (node.op !== 'Slice' || !narrows(node)) return builder.emit(node.op, operands, node.attrs)
      const [left, right] = (producer.get(node.inputs[0] as string) as Node).inputs.map(value) as [
        Value,
        Value,
      ]
      const rows = builder.emit('Slice', [left], { ...node.attrs, axes: [left.shape.length - 2] })
      return builder.emit('MatMul', [rows[0] as Value, right], {})
    },
  })
}

function slicesRows(graph: Graph, node: Node): boolean {
  const rank = (graph.values[node.inputs[0] as string] as ValueInfo).shape.length
  return node.op === 'Slice' && node.attrs.axes.length === 1 && node.attrs.axes[0] === rank - 2
}
