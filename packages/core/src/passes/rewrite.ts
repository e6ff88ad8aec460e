/** The shared machinery of passes: re-emit a graph's nodes, some of them changed, keeping names and outputs. */
import { type BuilderOptions, GraphBuilder, importGraph, type Reemit, type Value } from '../graph/builder.js'
import type { Graph, Node, Shape, ValueInfo } from '../graph/types.js'
import type { Tensor } from '../tensor.js'

/** Longer literals stay typed arrays. */
const LARGEST_LIST = 2 ** 18

/** What a rewrite may change. */
export interface RewriteOptions extends BuilderOptions {
  /** Nodes to keep, possibly altered; default: all, as they are. */
  readonly nodes?: readonly Node[]
  /** What to emit for a node, on the builder given; default: the same node. */
  readonly emit?: (builder: GraphBuilder) => Reemit
  /** New shapes of inputs. */
  readonly inputShape?: (shape: Shape) => Shape
  /** Inputs that become literals. */
  readonly literals?: Readonly<Record<string, Tensor>>
}

/** Rebuilds a graph. Inferred shapes are recomputed, names are kept where they were chosen. */
export function rewrite(graph: Graph, options: RewriteOptions = {}): Graph {
  const builder = new GraphBuilder(graph.name, options)
  const bindings: Record<string, Value> = {}
  for (const name of graph.inputs) {
    const literal = options.literals?.[name]
    if (literal) {
      const { dtype, shape, data } = literal
      const value =
        data.length > LARGEST_LIST
          ? (builder.emit('Constant', [], { dtype, shape, data: data.slice() })[0] as Value)
          : builder.constant(Array.from(data), shape, dtype)
      value.hint ??= name
      bindings[name] = value
      continue
    }
    const { dtype, shape } = graph.values[name] as ValueInfo
    bindings[name] = builder.input(name, dtype, options.inputShape ? options.inputShape(shape) : shape)
  }
  const values = importGraph(
    builder,
    { ...graph, nodes: options.nodes ?? graph.nodes },
    bindings,
    options.emit?.(builder),
  )
  for (const { name, value } of graph.outputs) builder.output(name, values.get(value) as Value)
  return builder.build()
}
