/** Graphs as readable text, stable enough for snapshots. */
import { formatInfo } from './shape.js'
import type { Graph, ValueInfo } from './types.js'

/** One line per input, node and output; Scan bodies are indented under their node. */
export function printGraph(graph: Graph, indent = ''): string {
  const typed = (name: string) => `${name}: ${formatInfo(graph.values[name] as ValueInfo)}`
  const lines = [`graph ${graph.name}`, ...graph.inputs.map((name) => `  input ${typed(name)}`)]
  for (const node of graph.nodes) {
    const attrs = Object.entries(node.attrs)
      .filter(([key]) => key !== 'body')
      .map(
        ([key, value]) =>
          `${key}=${key === 'data' ? literal(value as ArrayLike<number>) : JSON.stringify(value)}`,
      )
    lines.push(
      `  ${node.outputs.map(typed).join(', ')} = ${node.op}(${node.inputs.join(', ')})${attrs.length > 0 ? ` {${attrs.join(', ')}}` : ''}`,
    )
    if (node.op === 'Scan') lines.push(printGraph(node.attrs.body, '    '))
  }
  lines.push(...graph.outputs.map(({ name, value }) => `  output ${name} = ${value}`))
  return lines.map((line) => indent + line).join('\n')
}

const literal = (data: ArrayLike<number>): string => {
  const shown = Array.from({ length: Math.min(data.length, 8) }, (_, i) => data[i])
  return data.length > 8 ? `[${shown.join(',')},… ${data.length}]` : `[${shown.join(',')}]`
}
