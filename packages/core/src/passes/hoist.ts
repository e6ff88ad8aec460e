/** Pass: separates what depends on some inputs alone, so that it can be computed once for many runs. */
import type { Graph, Node } from '../graph/types.js'
import { eliminateDeadCode } from './dead-code.js'
import { independentOf } from './independent.js'
import { rewrite } from './rewrite.js'

/** A graph in two parts; see {@link hoist}. */
export interface Hoisted {
  /** From known inputs to values that `rest` takes, under the values' names. No outputs: nothing could be hoisted. */
  readonly ahead: Graph
  /** The graph without the work of `ahead`: its results are inputs here, known inputs that nothing reads are gone. */
  readonly rest: Graph
}

/**
 * Splits a graph. What `ahead` computes is never larger than the graph's own values; literals stay where they are read.
 * @param known names of inputs that stay the same over many runs
 */
export function hoist(graph: Graph, known: readonly string[]): Hoisted {
  const literals = independentOf(graph, [])
  const early = independentOf(graph, known)
  const isAhead = ({ outputs }: Node) => early.has(outputs[0] as string)
  const isLiteral = ({ outputs }: Node) => literals.has(outputs[0] as string)
  const late = graph.nodes.filter((node) => !isAhead(node) || isLiteral(node))
  const wanted = new Set([
    ...late.flatMap(({ inputs }) => inputs),
    ...graph.outputs.map(({ value }) => value),
  ])
  const given = new Set(graph.inputs)
  const handed = [...early].filter((name) => wanted.has(name) && !literals.has(name) && !given.has(name))
  const ahead = graph.nodes.filter(isAhead)
  const read = new Set(ahead.flatMap(({ inputs }) => inputs))
  return {
    ahead: part({
      ...graph,
      name: `${graph.name}, ahead`,
      inputs: graph.inputs.filter((name) => known.includes(name) && read.has(name)),
      nodes: ahead,
      outputs: handed.map((name) => ({ name, value: name })),
    }),
    rest: part({
      ...graph,
      inputs: [...graph.inputs.filter((name) => !known.includes(name) || wanted.has(name)), ...handed],
      nodes: late,
    }),
  }
}

/** A graph of some of another's nodes, whose table of values holds no others. */
const part = (graph: Graph): Graph => eliminateDeadCode(rewrite(graph))
