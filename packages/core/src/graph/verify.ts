/** Checks every invariant of a graph. Runs before a graph is compiled, and in tests after every transformation. */
import { FepError } from '../errors.js'
import type { OpAttrs, OpName } from '../ops/attrs.js'
import { composites, isComposite, primitives } from '../ops/table.js'
import { checkRowWise } from './row-wise.js'
import { formatInfo, isDim, sameShape } from './shape.js'
import type { Graph, Node, ValueInfo } from './types.js'

const DTYPES: readonly string[] = ['float32', 'int32', 'bool']

/**
 * Single definitions in topological order, known operators with the right arity, shapes and dtypes as the rules infer
 * them, outputs that exist, Scan bodies that are closed, correct and row-wise along the axis they name.
 * @throws FEP_BAD_GRAPH naming the node
 */
export function verifyGraph(graph: Graph): void {
  const fail = (message: string): never => {
    throw new FepError('FEP_BAD_GRAPH', `graph '${graph.name}': ${message}`)
  }
  const defined = new Set<string>()
  const define = (name: string, by: string) => {
    if (defined.has(name)) fail(`'${name}' is defined twice (again by ${by})`)
    const info = graph.values[name] ?? fail(`'${name}' (defined by ${by}) is not described in values`)
    if (!DTYPES.includes(info.dtype) || !info.shape.every(isDim))
      fail(`'${name}' has no valid type: ${formatInfo(info)}`)
    defined.add(name)
  }
  for (const name of graph.inputs) define(name, 'an input')
  for (const node of graph.nodes) verifyNode(graph, node, defined, define, fail)
  const names = new Set<string>()
  for (const { name, value } of graph.outputs) {
    if (names.has(name)) fail(`output '${name}' is declared twice`)
    if (!defined.has(value)) fail(`output '${name}' refers to '${value}', which nothing defines`)
    names.add(name)
  }
  for (const name of Object.keys(graph.values))
    if (!defined.has(name)) fail(`values describes '${name}', which nothing defines`)
}

function verifyNode(
  graph: Graph,
  node: Node,
  defined: ReadonlySet<string>,
  define: (name: string, by: string) => void,
  fail: (message: string) => never,
): void {
  const where = `${node.op} → ${node.outputs.join(', ')}`
  if (!isComposite(node.op) && !Object.hasOwn(primitives, node.op))
    fail(`unknown operator '${node.op as string}'`)
  const rule = isComposite(node.op) ? composites[node.op] : primitives[node.op]
  if (node.inputs.length < rule.arity[0] || node.inputs.length > rule.arity[1])
    fail(`${where}: ${node.inputs.length} operands`)
  for (const name of node.inputs)
    if (!defined.has(name)) fail(`${where}: operand '${name}' is not defined before its use`)
  let infos: readonly ValueInfo[] = []
  try {
    infos = rule.infer(
      node.inputs.map((name) => graph.values[name] as ValueInfo),
      node.attrs as OpAttrs[OpName] as never,
    )
  } catch (error) {
    fail(`${where}: ${(error as Error).message}`)
  }
  if (infos.length !== node.outputs.length)
    fail(`${where}: ${infos.length} results, ${node.outputs.length} names`)
  node.outputs.forEach((name, i) => {
    define(name, node.op)
    const [want, have] = [infos[i] as ValueInfo, graph.values[name] as ValueInfo]
    if (want.dtype !== have.dtype || !sameShape(want.shape, have.shape))
      fail(`${where}: '${name}' is declared ${formatInfo(have)}, inferred ${formatInfo(want)}`)
  })
  if (node.op === 'Scan') {
    verifyGraph(node.attrs.body)
    checkRowWise(node)
  }
}
