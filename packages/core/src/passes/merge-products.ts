/**
 * Pass: A (B x + b) = (A B) x + A b where A, B and b are known before x is, and A B is smaller than B: one product per
 * token instead of two. The result is rounded differently.
 */
import type { Value } from '../graph/builder.js'
import type { Graph, Node, ValueInfo } from '../graph/types.js'
import { eliminateDeadCode } from './dead-code.js'
import { independentOf } from './independent.js'
import { rewrite } from './rewrite.js'

/** What an outer product is made of. */
interface Chain {
  /** (rows, inner) */
  readonly left: string
  /** (inner, columns) */
  readonly matrix: string
  /** (columns, N) */
  readonly operand: string
  /** (inner, 1) */
  readonly bias?: string
}

/**
 * Merges chains of products whose matrices depend on some inputs alone. An inner result that has other uses stays.
 * @param known names of inputs: parameters
 */
export function mergeProducts(graph: Graph, known: readonly string[]): Graph {
  const chains = findChains(graph, known)
  if (chains.size === 0) return graph
  const merged = rewrite(graph, {
    emit: (builder) => (node, operands, value) => {
      const chain = chains.get(node)
      if (!chain) return builder.emit(node.op, operands, node.attrs)
      const product = (a: Value, b: Value) => builder.emit('MatMul', [a, b], {})[0] as Value
      const left = value(chain.left)
      const y = product(product(left, value(chain.matrix)), value(chain.operand))
      return chain.bias === undefined ? [y] : builder.emit('Add', [y, product(left, value(chain.bias))], {})
    },
  })
  // What was the inner product of one chain may be the outer one of the next.
  return mergeProducts(eliminateDeadCode(merged), known)
}

function findChains(graph: Graph, known: readonly string[]): ReadonlyMap<Node, Chain> {
  const early = independentOf(graph, known)
  const producer = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
  const uses = new Map<string, number>()
  const used = [...graph.nodes.flatMap((node) => node.inputs), ...graph.outputs.map(({ value }) => value)]
  for (const name of used) uses.set(name, (uses.get(name) ?? 0) + 1)
  const shapeOf = (name: string) => (graph.values[name] as ValueInfo).shape
  /** The product of a late operand and an early matrix that is nobody else's. */
  const inner = (name: string): Node | undefined => {
    const node = producer.get(name)
    if (node?.op !== 'MatMul' || uses.get(name) !== 1) return undefined
    const [matrix, operand] = node.inputs as [string, string]
    const plain = shapeOf(matrix).length === 2 && shapeOf(operand).length === 2
    return plain && early.has(matrix) && !early.has(operand) ? node : undefined
  }
  const chains = new Map<Node, Chain>()
  for (const node of graph.nodes) {
    if (node.op !== 'MatMul') continue
    const [left, right] = node.inputs as [string, string]
    const [rows, columns] = shapeOf(left)
    if (shapeOf(left).length !== 2 || !early.has(left) || !((rows as number) < (columns as number))) continue
    const sum = producer.get(right)
    const biased = sum?.op === 'Add' && uses.get(right) === 1
    const candidates = biased ? [sum.inputs, [...sum.inputs].reverse()] : [[right, undefined]]
    for (const [name, bias] of candidates) {
      const product = inner(name as string)
      const column = bias === undefined || (early.has(bias) && shapeOf(bias).join() === `${columns},1`)
      if (!product || !column) continue
      const [matrix, operand] = product.inputs as [string, string]
      chains.set(node, { left, matrix, operand, ...(bias === undefined ? {} : { bias }) })
      break
    }
  }
  return chains
}
