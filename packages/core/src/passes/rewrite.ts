/** The shared machinery of passes: re-emit a graph's nodes, some of them changed, keeping names and outputs. */
import { type BuilderOptions, GraphBuilder, importGraph, type Value } from '../graph/builder.js'
import type { Graph, Node, Shape, ValueInfo } from '../graph/types.js'

/** What a rewrite may change. */
export interface RewriteOptions extends BuilderOptions {
  /** Nodes to keep, possibly altered; default: all, as they are. */
  readonly nodes?: readonly Node[]
  /** New shapes of inputs. */
  readonly inputShape?: (shape: Shape) => Shape
  /** Drop inputs for which this is false. */
  readonly keepInput?: (name: string) => boolean
}

/** Rebuilds a graph. Inferred shapes are recomputed, names are kept where they were chosen. */
export function rewrite(graph: Graph, options: RewriteOptions = {}): Graph {
  const builder = new GraphBuilder(graph.name, options)
  const bindings: Record<string, Value> = {}
  const inputs = graph.inputs.filter((name) => options.keepInput?.(name) ?? true)
  for (const name of inputs) {
    const { dtype, shape } = graph.values[name] as ValueInfo
    bindings[name] = builder.input(name, dtype, options.inputShape ? options.inputShape(shape) : shape)
  }
  const values = importGraph(builder, { ...graph, inputs, nodes: options.nodes ?? graph.nodes }, bindings)
  for (const { name, value } of graph.outputs) builder.output(name, values.get(value) as Value)
  return builder.build()
}
