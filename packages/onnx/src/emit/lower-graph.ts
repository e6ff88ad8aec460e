/** Walks a graph's nodes and lowers each by the table. */
import {
  composites as definitions,
  type Graph,
  GraphBuilder,
  isComposite,
  type Node,
  type OpName,
  type ValueInfo,
} from '@fep-moe/core'
import { lowerByParts, readsParts } from '../lowerings/by-parts.js'
import { lowerings } from '../lowerings/table.js'
import type { Call, ClaimedComposite, Lowering } from './lowering.js'
import type { GraphWriter } from './writer.js'

/**
 * Lowers every node.
 * @param bound ONNX names of the graph's inputs, in order
 * @param naming the ONNX name that a core value should get
 * @param label what nodes that compute a core value are called; default: as the value
 * @returns ONNX names of the graph's outputs, in order
 */
export function lowerGraph(
  graph: Graph,
  bound: readonly string[],
  writer: GraphWriter,
  naming: (value: string) => string,
  label?: (value: string) => string,
): readonly string[] {
  const names = new Map<string, string>(graph.inputs.map((name, i) => [name, bound[i] as string]))
  const read = new Set([...graph.nodes.flatMap((node) => node.inputs), ...graph.outputs.map((o) => o.value)])
  const outer = writer.at
  for (const node of graph.nodes) {
    const wished = node.outputs.map(naming)
    writer.at = label ? label(node.outputs[0] as string) : (wished[0] as string)
    const results = lowerNode(
      graph,
      node,
      node.inputs.map((name) => names.get(name) as string),
      wished,
      read,
      writer,
    )
    node.outputs.forEach((value, i) => {
      const name = results[i] as string
      names.set(value, name)
      if (name === wished[i] && node.op !== 'Constant' && read.has(value) && !writer.isUnwritten(name))
        writer.describe(name, graph.values[value] as ValueInfo)
    })
  }
  writer.at = outer
  return graph.outputs.map(({ value }) => writer.written(names.get(value) as string))
}

function lowerNode(
  graph: Graph,
  node: Node,
  inputs: readonly string[],
  outputs: readonly string[],
  read: ReadonlySet<string>,
  writer: GraphWriter,
): readonly string[] {
  const infoOf = (name: string) => graph.values[name] as ValueInfo
  const call: Call<OpName> = {
    node,
    attrs: node.attrs,
    inputs,
    inputInfos: node.inputs.map(infoOf),
    outputs,
    outputInfos: node.outputs.map(infoOf),
    used: node.outputs.map((name) => read.has(name)),
    inline: (body, operands, w, prefix) =>
      lowerGraph(body, operands, w, (value) => w.model.names.unique(`${prefix}/${value}`)),
    expand: (w) => expandComposite(node, node.inputs.map(infoOf), inputs, outputs, w),
  }
  const lower = lowerings[node.op as ClaimedComposite] as unknown as Lowering<OpName>
  const byParts = lowerByParts(call, lower, writer)
  if (byParts) return byParts
  if (!readsParts(node.op)) for (const name of inputs) writer.written(name)
  return lower(call, writer)
}

/** Emits a composite's definition from core. The node that defines its result gets the name that was asked for. */
function expandComposite(
  node: Node,
  infos: readonly ValueInfo[],
  inputs: readonly string[],
  outputs: readonly string[],
  writer: GraphWriter,
): readonly string[] {
  if (!isComposite(node.op)) throw new TypeError(`${node.op} has no definition`)
  const builder = new GraphBuilder(node.op, { expandComposites: true })
  const operands = infos.map(({ dtype, shape }, i) => builder.input(`operand_${i}`, dtype, shape))
  definitions[node.op].define(operands, node.attrs as never).forEach((value, i) => {
    builder.output(`result_${i}`, value)
  })
  const graph = builder.build()
  const prefix = writer.at
  const wished = new Map(graph.outputs.map(({ value }, i) => [value, outputs[i] as string]))
  return lowerGraph(
    graph,
    inputs,
    writer,
    (value) => wished.get(value) ?? writer.model.names.unique(`${prefix}/${value}`),
  )
}
