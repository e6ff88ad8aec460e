/** Pass: replaces composites by their definitions, except those that a backend claims. */
import { GraphBuilder, type Value } from '../graph/builder.js'
import type { Graph, Node, ValueInfo } from '../graph/types.js'
import type { CompositeName } from '../ops/attrs.js'
import { composites, isComposite } from '../ops/table.js'

/** @param keep which composites stay nodes; default none */
export function expandComposites(graph: Graph, keep: (op: CompositeName) => boolean = () => false): Graph {
  const touched = (node: Node): boolean =>
    (isComposite(node.op) && !keep(node.op)) || (node.op === 'Scan' && node.attrs.body.nodes.some(touched))
  if (!graph.nodes.some(touched)) return graph
  const builder = new GraphBuilder(graph.name)
  const known = new Map<string, Value>()
  for (const name of graph.inputs) {
    const info = graph.values[name] as ValueInfo
    known.set(name, builder.input(name, info.dtype, info.shape))
  }
  const emit = (node: Node): readonly Value[] => {
    const operands = node.inputs.map((name) => known.get(name) as Value)
    if (isComposite(node.op) && !keep(node.op))
      return builder.scope(node.outputs[0] as string, () =>
        composites[node.op as CompositeName].define(operands, node.attrs as never),
      )
    if (node.op === 'Scan')
      return builder.emit('Scan', operands, { ...node.attrs, body: expandComposites(node.attrs.body, keep) })
    return builder.emit(node.op, operands, node.attrs)
  }
  for (const node of graph.nodes) {
    emit(node).forEach((value, i) => {
      if (value.node && value.hint === undefined) value.hint = node.outputs[i] as string
      known.set(node.outputs[i] as string, value)
    })
  }
  for (const { name, value } of graph.outputs) builder.output(name, known.get(value) as Value)
  const expanded = builder.build()
  // A definition may use other composites (LayerNorm uses ReduceMean).
  return expandComposites(expanded, keep)
}
