/** Graph → Graph: many inputs become slices of one flat vector, and their gradients one flat vector. */
import { GraphBuilder, importGraph, type Value } from '../graph/builder.js'
import { concat, reshape, slice } from '../graph/expressions.js'
import { countOf } from '../graph/shape.js'
import type { Graph, ValueInfo } from '../graph/types.js'

/** Where a tensor lies in a packed vector. */
export interface PackedSlot {
  readonly name: string
  readonly shape: readonly number[]
  readonly start: number
  readonly end: number
}

/** Slots of tensors in order, without gaps. */
export function packedSlots(
  specs: readonly { readonly name: string; readonly shape: readonly number[] }[],
): readonly PackedSlot[] {
  let at = 0
  return specs.map(({ name, shape }) => {
    const start = at
    at += countOf(shape)
    return { name, shape, start, end: at }
  })
}

/**
 * Replaces float32 inputs by one input `packed` (n), and the outputs `grad/NAME`, where all exist, by `grad/packed` (n).
 */
export function packInputs(graph: Graph, names: readonly string[], packed = 'params'): Graph {
  const slots = packedSlots(
    names.map((name) => ({ name, shape: (graph.values[name] as ValueInfo).shape as readonly number[] })),
  )
  const builder = new GraphBuilder(graph.name)
  const vector = builder.input(packed, 'float32', [slots.at(-1)?.end ?? 0])
  const bindings: Record<string, Value> = {}
  for (const { name, shape, start, end } of slots)
    bindings[name] = reshape(slice(vector, 0, start, end), shape).named(name)
  for (const name of graph.inputs) {
    const info = graph.values[name] as ValueInfo
    bindings[name] ??= builder.input(name, info.dtype, info.shape)
  }
  const values = importGraph(builder, graph, bindings)
  const gradientOf = new Map(graph.outputs.map((o) => [o.name, values.get(o.value) as Value]))
  const parts = names.map((name) => gradientOf.get(`grad/${name}`))
  const complete = parts.length > 0 && parts.every((p) => p !== undefined)
  for (const { name, value } of graph.outputs)
    if (!complete || !names.some((n) => name === `grad/${n}`))
      builder.output(name, values.get(value) as Value)
  if (complete)
    builder.output(
      `grad/${packed}`,
      concat(
        (parts as Value[]).map((p) => reshape(p, [countOf(p.shape)])),
        0,
      ),
    )
  return builder.build()
}
