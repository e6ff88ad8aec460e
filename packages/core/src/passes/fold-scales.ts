/**
 * Pass: a number that multiplies a large matrix goes to a smaller operand of the product that makes or reads it:
 * c (A B) = (c A) B. An elementwise pass over a large matrix costs as much as a tenth of its product. Rounded differently.
 */
import type { Value } from '../graph/builder.js'
import { sizeOf } from '../graph/shape.js'
import type { Graph, Node, ValueInfo } from '../graph/types.js'
import { eliminateDeadCode } from './dead-code.js'
import { rewrite } from './rewrite.js'

/** What the pass found to do. */
interface Plan {
  /** Multiplications that are left out: their operand stands in for the result. */
  readonly dropped: ReadonlyMap<Node, string>
  /** Products whose smaller operand takes a factor, and sums whose addends that are no such product take it. */
  readonly factors: ReadonlyMap<Node, number>
}

/** Moves factors. What is not the product's alone, or has no smaller operand, stays. */
export function foldScales(graph: Graph): Graph {
  const { dropped, factors } = findScales(graph)
  if (dropped.size === 0) return graph
  const producer = producers(graph)
  const folded = rewrite(graph, {
    emit: (builder) => (node, operands, value) => {
      const operand = dropped.get(node)
      if (operand !== undefined) return [value(operand)]
      const factor = factors.get(node)
      if (factor === undefined) return builder.emit(node.op, operands, node.attrs)
      const times = (x: Value): Value => builder.emit('Mul', [x, builder.constant(factor)], {})[0] as Value
      if (node.op === 'ReduceSum') return builder.emit(node.op, operands, node.attrs).map(times)
      const [a, b] = operands as [Value, Value]
      if (node.op === 'MatMul') {
        const first = isSmaller(a, b)
        return builder.emit('MatMul', first ? [times(a), b] : [a, times(b)], {})
      }
      const scaled = operands.map((x, i) =>
        factors.has(producer.get(node.inputs[i] as string) as Node) ? x : times(x),
      )
      return builder.emit(node.op, scaled, node.attrs)
    },
  })
  return eliminateDeadCode(folded)
}

const isSmaller = (a: Pick<ValueInfo, 'shape'>, b: Pick<ValueInfo, 'shape'>): boolean => {
  const [x, y] = [sizeOf(a.shape), sizeOf(b.shape)]
  return x.power === y.power ? x.factor < y.factor : x.power < y.power
}

const producers = (graph: Graph): ReadonlyMap<string, Node> =>
  new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))

function findScales(graph: Graph): Plan {
  const producer = producers(graph)
  const users = new Map<string, Node[]>()
  for (const node of graph.nodes)
    for (const name of node.inputs) users.set(name, [...(users.get(name) ?? []), node])
  const exposed = new Set(graph.outputs.map(({ value }) => value))
  const info = (name: string) => graph.values[name] as ValueInfo
  const usersOf = (name: string): readonly Node[] => users.get(name) ?? []
  const isOwn = (name: string) => usersOf(name).length === 1 && !exposed.has(name)

  /** The products and sums that make a value, all of them nobody else's, if a factor can go into them. */
  const making = (name: string): Node[] | undefined => {
    const node = producer.get(name)
    if (!node || !isOwn(name)) return undefined
    if (node.op === 'MatMul')
      return node.inputs.some((input) => isSmaller(info(input), info(name))) ? [node] : undefined
    if (node.op !== 'Add') return undefined
    const parts = node.inputs.map(
      (input) => making(input) ?? (isSmaller(info(input), info(name)) ? [] : undefined),
    )
    return parts.some((part) => part === undefined) || parts.every((part) => part?.length === 0)
      ? undefined
      : [node, ...parts.flatMap((part) => part ?? [])]
  }
  /** The products and sums over axes that read a value, if a factor can go into all of them. */
  const reading = (name: string): Node[] | undefined => {
    if (exposed.has(name)) return undefined
    const found = usersOf(name).map((node) => {
      const [result] = node.outputs as [string]
      if (node.op === 'Transpose') return reading(result)
      if (node.op === 'ReduceSum') return isSmaller(info(result), info(name)) ? [node] : undefined
      const other = node.inputs.find((input) => input !== name)
      return node.op === 'MatMul' && other !== undefined && isSmaller(info(other), info(name))
        ? [node]
        : undefined
    })
    return found.length === 0 || found.includes(undefined) ? undefined : found.flatMap((nodes) => nodes ?? [])
  }

  const dropped = new Map<Node, string>()
  const factors = new Map<Node, number>()
  for (const node of graph.nodes) {
    const scale = node.op === 'Mul' ? scaleOf(node, producer) : undefined
    if (!scale || info(scale.operand).shape.join() !== info(node.outputs[0] as string).shape.join()) continue
    const nodes = making(scale.operand) ?? reading(node.outputs[0] as string)
    // A product that takes one factor already may not be the place for another: its operands are judged as they were.
    if (!nodes || nodes.some((n) => factors.has(n))) continue
    dropped.set(node, scale.operand)
    for (const n of nodes) factors.set(n, scale.factor)
  }
  return { dropped, factors }
}

/** A product with a number. */
function scaleOf(
  { inputs }: Node,
  producer: ReadonlyMap<string, Node>,
): { readonly operand: string; readonly factor: number } | undefined {
  for (const [operand, other] of [inputs, [...inputs].reverse()] as [string, string][]) {
    const literal = producer.get(other)
    if (literal?.op === 'Constant' && literal.attrs.data.length === 1)
      return { operand, factor: literal.attrs.data[0] as number }
  }
  return undefined
}
