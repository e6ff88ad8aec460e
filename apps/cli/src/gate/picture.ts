/** A graph as a picture. Graphviz places it; it is loaded when a picture is asked for. */
import type { Graph, Node, ValueInfo } from '@fep-moe/core'

/** They move nothing and say nothing: edges pass through them. */
const PASSED = new Set(['Reshape', 'Transpose', 'Expand', 'StopGradient', 'Cast'])

/** Draws a graph. @returns a complete SVG document */
export async function drawGraph(
  graph: Graph,
  title: string,
  isParameter: (name: string) => boolean,
): Promise<string> {
  const { Graphviz } = await import('@hpcc-js/wasm-graphviz')
  const graphviz = await Graphviz.load()
  return graphviz.dot(describeGraph(graph, title, isParameter), 'svg')
}

/** The graph in Graphviz's language: parts of a scope in a box, shapes beside the edges. */
export function describeGraph(graph: Graph, title: string, isParameter: (name: string) => boolean): string {
  const producers = new Map<string, Node>()
  for (const node of graph.nodes) for (const name of node.outputs) producers.set(name, node)
  const origin = (name: string): string => {
    const node = producers.get(name)
    return node && PASSED.has(node.op) ? origin(node.inputs[0] as string) : name
  }
  const idOf = (name: string): string => quote(producers.get(name)?.outputs[0] ?? name)
  const edge = (name: string, to: string): string[] => {
    const from = origin(name)
    if (producers.get(from)?.op === 'Constant') return []
    // An input says its shape itself.
    const label = producers.has(from) ? ` ${shapeOf(graph.values[name] as ValueInfo)}` : ''
    return [`  ${idOf(from)} -> ${quote(to)} [label=${quote(label)}]`]
  }
  const shown = graph.nodes.filter(({ op }) => !PASSED.has(op) && op !== 'Constant')
  const scopes = new Map<string, Node[]>()
  for (const node of shown) scopes.set(scopeOf(node), [...(scopes.get(scopeOf(node)) ?? []), node])
  const inputs = graph.inputs.map(
    (name) =>
      `  ${quote(name)} [label=${quote(`${name}\n${shapeOf(graph.values[name] as ValueInfo)}`)}, shape=${isParameter(name) ? 'cylinder' : 'ellipse'}, fillcolor=${isParameter(name) ? '"#e8eef7"' : '"#eaf5ea"'}]`,
  )
  const boxes = [...scopes].map(([scope, nodes], i) => {
    const lines = nodes.map((node) => `  ${quote(node.outputs[0] as string)} [label=${quote(labelOf(node))}]`)
    return scope
      ? `  subgraph cluster_${i} { label=${quote(scope)}; color="#b0b0b0"; fontcolor="#606060"; fontsize=11; labeljust=l; style=rounded;\n${lines.join('\n')}\n  }`
      : lines.join('\n')
  })
  const results = graph.outputs.flatMap(({ name, value }) => [
    `  ${quote(`result ${name}`)} [label=${quote(name)}, shape=ellipse, fillcolor="#fbf0dc"]`,
    ...edge(value, `result ${name}`),
  ])
  const edges = shown.flatMap((node) => node.inputs.flatMap((name) => edge(name, node.outputs[0] as string)))
  return [
    `digraph ${quote(title)} {`,
    `  graph [label=${quote(title)}, labelloc=t, fontname="sans-serif", rankdir=TB, nodesep=0.3, ranksep=0.35]`,
    '  node [shape=box, style="filled,rounded", fillcolor="#ffffff", fontname="sans-serif", fontsize=11, margin="0.16,0.06"]',
    '  edge [fontname="sans-serif", fontsize=8, color="#606060", fontcolor="#606060", arrowsize=0.6]',
    ...inputs,
    ...boxes,
    ...results,
    ...edges,
    '}',
  ].join('\n')
}

const scopeOf = (node: Node): string => {
  const name = node.outputs[0] as string
  return name.includes('/') ? name.slice(0, name.indexOf('/')) : ''
}

/** The operator, and the name where it was given one. */
function labelOf({ op, outputs }: Node): string {
  const name = (outputs[0] as string).replace(/^.*\//, '')
  return name === op || name.startsWith(`${op}_`) ? op : `${name}\n${op}`
}

const shapeOf = ({ dtype, shape }: ValueInfo): string =>
  `${dtype === 'float32' ? '' : `${dtype} `}(${shape.map((d) => (d === 'batch' ? 'B' : d)).join(', ')})`

const quote = (text: string): string =>
  `"${text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`
