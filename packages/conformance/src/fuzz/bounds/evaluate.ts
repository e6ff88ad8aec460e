/** Evaluates a graph in doubles and bounds, next to every value, what a float32 executor may make of it. */
import {
  bindBatch,
  type Capabilities,
  expandComposites,
  type Graph,
  isComposite,
  type NodeOf,
  type OpName,
  type PrimitiveName,
} from '@fep-moe/core'
import { type Bounded, Evaluation, exactly, type Info, move, ULP } from './bounded.js'
import { elementwise } from './elementwise.js'
import { linear } from './linear.js'
import { moves } from './moves.js'
import { ranking } from './ranking.js'
import type { Rule } from './rule.js'

export { type Bounded, Evaluation, exactly } from './bounded.js'

/** One rule per operator; Scan runs its body. */
const rules: Readonly<Record<Exclude<PrimitiveName, 'Scan'>, Rule>> = {
  ...elementwise,
  ...linear,
  ...moves,
  ...ranking,
}

/** A graph of primitives, and which composite each of its values was. */
interface Prepared {
  readonly graph: Graph
  readonly composite: ReadonlyMap<string, OpName>
  readonly bodies: ReadonlyMap<string, Prepared>
}

/** Expanding keeps the names of composite results, so that a composite's own accuracy finds its value. */
function prepare(graph: Graph): Prepared {
  const composite = new Map<string, OpName>()
  const bodies = new Map<string, Prepared>()
  for (const node of graph.nodes) {
    if (isComposite(node.op)) for (const name of node.outputs) composite.set(name, node.op)
    if (node.op === 'Scan') bodies.set(node.outputs[0] as string, prepare(node.attrs.body))
  }
  return { graph: expandComposites(graph), composite, bodies }
}

/**
 * Evaluates a graph.
 * @param accuracy what the executor declares beyond rounding; it is added to the bounds
 */
export function evaluateBounded(
  evaluation: Evaluation,
  graph: Graph,
  feeds: Readonly<Record<string, Bounded>>,
  batch: number,
): Record<string, Bounded> {
  return run(evaluation, prepare(bindBatch(graph, batch)), feeds)
}

/** The evaluation of a graph on exact feeds. */
export function boundsOf(
  graph: Graph,
  feeds: Readonly<Record<string, Parameters<typeof exactly>[1]>>,
  batch: number,
  accuracy: Capabilities['accuracy'],
): { readonly results: Record<string, Bounded>; readonly evaluation: Evaluation } {
  const evaluation = new Evaluation(accuracy)
  const exact = Object.fromEntries(
    Object.entries(feeds).map(([name, t]) => [name, exactly(evaluation, t)] as const),
  )
  return { results: evaluateBounded(evaluation, graph, exact, batch), evaluation }
}

function run(
  evaluation: Evaluation,
  prepared: Prepared,
  feeds: Readonly<Record<string, Bounded>>,
): Record<string, Bounded> {
  const { graph, composite, bodies } = prepared
  const values = new Map<string, Bounded>(graph.inputs.map((name) => [name, feeds[name] as Bounded]))
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => values.get(name) as Bounded)
    const infos = node.outputs.map((name) => graph.values[name] as Info)
    const first = node.outputs[0] as string
    const results =
      node.op === 'Scan'
        ? scan(evaluation, bodies.get(first) as Prepared, inputs, node, infos)
        : rules[node.op as Exclude<PrimitiveName, 'Scan'>](evaluation, inputs, node.attrs as never, infos)
    node.outputs.forEach((name, i) => {
      const op = composite.get(name)
      const own = declared(evaluation, node.op, results[i] as Bounded)
      values.set(name, op === undefined ? own : declared(evaluation, op, own))
    })
  }
  return Object.fromEntries(graph.outputs.map(({ name, value }) => [name, values.get(value) as Bounded]))
}

/** Adds what the executor declares for an operator. */
function declared(evaluation: Evaluation, op: OpName, value: Bounded): Bounded {
  const accuracy = evaluation.accuracy[op]
  if (!accuracy || value.dtype !== 'float32') return value
  const { ulp = 0, absolute = 0 } = accuracy
  const error = value.error.map((e, i) => e + absolute + ulp * ULP * (Math.abs(value.data[i] as number) + e))
  return { ...value, error }
}

function scan(
  evaluation: Evaluation,
  body: Prepared,
  inputs: readonly Bounded[],
  node: NodeOf<'Scan'>,
  infos: readonly Info[],
): Bounded[] {
  const { states, xs, axis, reverse } = node.attrs
  const sliced = inputs.slice(states, states + xs)
  const consts = inputs.slice(states + xs)
  const steps = (sliced[0] as Bounded).shape[axis] as number
  const parts: Bounded[][] = infos.slice(states).map(() => [])
  let carried = inputs.slice(0, states)
  for (let k = 0; k < steps; k++) {
    const t = reverse ? steps - 1 - k : k
    const operands = [...carried, ...sliced.map((x) => sliceAt(x, axis, t)), ...consts]
    const results = run(
      evaluation,
      body,
      Object.fromEntries(body.graph.inputs.map((name, i) => [name, operands[i] as Bounded])),
    )
    const ordered = body.graph.outputs.map(({ name }) => results[name] as Bounded)
    carried = ordered.slice(0, states)
    ordered.slice(states).forEach((y, i) => {
      const own = parts[i] as Bounded[]
      const slice = withShape(y, [...y.shape.slice(0, axis), 1, ...y.shape.slice(axis)])
      if (reverse) own.unshift(slice)
      else own.push(slice)
    })
  }
  const ys = parts.map((own, i) => {
    const info = infos[states + i] as Info
    if (own.length === 0) return exactly(evaluation, { ...info, data: new Float64Array(0) })
    return own.length === 1 ? (own[0] as Bounded) : move('Concat', own, { axis }, info)
  })
  return [...carried, ...ys]
}

const withShape = (x: Bounded, shape: readonly number[]): Bounded => ({ ...x, shape })

function sliceAt(x: Bounded, axis: number, t: number): Bounded {
  const shape = x.shape.map((d, i) => (i === axis ? 1 : d))
  const slice = move('Slice', [x], { axes: [axis], starts: [t], ends: [t + 1] }, { dtype: x.dtype, shape })
  return withShape(
    slice,
    x.shape.filter((_, i) => i !== axis),
  )
}
