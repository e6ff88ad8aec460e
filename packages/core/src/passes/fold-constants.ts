/** Pass: evaluates what depends on literals alone, in doubles, where the result is small. */
import type { Graph, Node, NodeOf, ValueInfo } from '../graph/types.js'
import type { NdArray } from '../ops/definition.js'
import { isComposite } from '../ops/table.js'
import { evaluateNode } from '../reference/interpreter.js'
import { eliminateDeadCode } from './dead-code.js'
import { rewrite } from './rewrite.js'

/** Larger results stay computed: a literal travels with every copy of the graph. */
const LARGEST = 4096

/** Constant folding. Symbolic shapes and Scans are left alone. */
export function foldConstants(graph: Graph): Graph {
  const known = new Map<string, NdArray>()
  let folded = false
  const nodes = graph.nodes.map((node): Node => {
    const infos = node.outputs.map((name) => graph.values[name] as ValueInfo)
    const numeric = infos.every((info) => info.shape.every((d) => typeof d === 'number'))
    if (node.op === 'Constant') {
      known.set(node.outputs[0] as string, evaluateNode(node, [], infos, 'float64')[0] as NdArray)
      return node
    }
    const ready =
      node.outputs.length === 1 &&
      numeric &&
      !isComposite(node.op) &&
      node.op !== 'Scan' &&
      node.op !== 'StopGradient' &&
      node.inputs.every((name) => known.has(name))
    if (!ready || (infos[0] as ValueInfo).shape.reduce<number>((n, d) => n * (d as number), 1) > LARGEST)
      return node
    const [result] = evaluateNode(
      node,
      node.inputs.map((name) => known.get(name) as NdArray),
      infos,
      'float64',
    )
    const { dtype, shape, data } = result as NdArray
    known.set(node.outputs[0] as string, result as NdArray)
    folded = true
    return {
      op: 'Constant',
      inputs: [],
      outputs: node.outputs,
      attrs: { dtype, shape: [...shape], data: Array.from(data) },
    } satisfies NodeOf<'Constant'>
  })
  return folded ? eliminateDeadCode(rewrite(graph, { nodes })) : graph
}
