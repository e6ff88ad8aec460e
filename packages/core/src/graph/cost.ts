/** Cost of a graph: arithmetic and memory traffic per node, from the operator table. */
import type { OpName, PrimitiveName } from '../ops/attrs.js'
import type { Cost, Primitive } from '../ops/definition.js'
import { primitives } from '../ops/table.js'
import { bindBatch } from '../passes/bind-batch.js'
import { expandComposites } from '../passes/expand-composites.js'
import { BYTES, countOf } from './shape.js'
import type { Graph, Node, ValueInfo } from './types.js'

/** The cost of one node. */
export interface NodeCost extends Cost {
  readonly op: OpName
  readonly output: string
}

/** Costs of a graph, composites expanded, at a batch size. A Scan costs its body times its steps. */
export function graphCost(graph: Graph, batch: number): { total: Cost; nodes: readonly NodeCost[] } {
  const bound = bindBatch(expandComposites(graph), batch)
  const nodes = bound.nodes.map((node): NodeCost => {
    const operands = node.inputs.map((name) => bound.values[name] as ValueInfo)
    const results = node.outputs.map((name) => bound.values[name] as ValueInfo)
    const bytes = [...operands, ...results].reduce(
      (n, info) => n + countOf(info.shape) * BYTES[info.dtype],
      0,
    )
    return { op: node.op, output: node.outputs[0] as string, flops: flopsOf(node, operands, results), bytes }
  })
  const total = nodes.reduce((sum, n) => ({ flops: sum.flops + n.flops, bytes: sum.bytes + n.bytes }), {
    flops: 0,
    bytes: 0,
  })
  return { total, nodes }
}

function flopsOf(node: Node, operands: readonly ValueInfo[], results: readonly ValueInfo[]): number {
  if (node.op === 'Scan')
    return (
      graphCost(node.attrs.body, 1).total.flops *
      ((operands[node.attrs.states] as ValueInfo).shape[node.attrs.axis] as number)
    )
  return (primitives[node.op as PrimitiveName] as Primitive<PrimitiveName>).flops(
    operands,
    results,
    node.attrs as never,
  )
}
