/** Pass: a product reads a transposed operand by itself, so the transposition need not be carried out. */
import type { Graph, Node, NodeOf } from '@fep-moe/core'
import type { Device } from '../device/device.js'

/** The nodes that are left, and for products that read through a transposition, which operands do. */
export interface Merged {
  readonly nodes: readonly Node[]
  readonly swapped: ReadonlyMap<Node, readonly boolean[]>
}

/** Merges transpositions of the last two axes into the products that read them. */
export function swapsMerged(graph: Graph, device: Device): Merged {
  if (!device.transposesInProducts) return { nodes: graph.nodes, swapped: new Map() }
  const swaps = new Map<string, NodeOf<'Transpose'>>()
  for (const node of graph.nodes)
    if (node.op === 'Transpose' && swapsLastTwo(node.attrs.perm)) swaps.set(node.outputs[0] as string, node)
  const swapped = new Map<Node, readonly boolean[]>()
  const nodes = graph.nodes.map((node): Node => {
    if (node.op !== 'MatMul' || !node.inputs.some((name) => swaps.has(name))) return node
    const merged: Node = { ...node, inputs: node.inputs.map((name) => swaps.get(name)?.inputs[0] ?? name) }
    swapped.set(
      merged,
      node.inputs.map((name) => swaps.has(name)),
    )
    return merged
  })
  const read = new Set([...nodes.flatMap((node) => node.inputs), ...graph.outputs.map((o) => o.value)])
  return {
    nodes: nodes.filter((node) => node.op !== 'Transpose' || read.has(node.outputs[0] as string)),
    swapped,
  }
}

const swapsLastTwo = (perm: readonly number[]): boolean => {
  const rank = perm.length
  return rank >= 2 && perm.every((p, i) => p === (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i))
}
