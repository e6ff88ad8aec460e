/** Graph → Graph autodiff: a graph with a scalar result becomes one that also returns its gradients. */
import { FepError } from '../errors.js'
import { extendGraph, type Value } from '../graph/builder.js'
import { formatShape } from '../graph/shape.js'
import type { Graph } from '../graph/types.js'
import { differentiate } from './differentiate.js'

/** What to differentiate. */
export interface GradientOptions {
  /** Name of a scalar float32 output. */
  readonly of: string
  /** Names of float32 inputs. */
  readonly wrt: readonly string[]
  /** Name of the gradient output of an input; default `grad/NAME`. */
  readonly rename?: (input: string) => string
}

/**
 * Adds outputs `grad/NAME` to a copy of the graph. An input that the result does not depend on gets zeros.
 * @throws FEP_NO_GRADIENT where the result is no float32 scalar or an input is not float32; FEP_BAD_GRAPH for unknown names
 */
export function gradients(
  graph: Graph,
  { of, wrt, rename = (name) => `grad/${name}` }: GradientOptions,
): Graph {
  const { builder, values } = extendGraph(graph, { expandComposites: true, name: `${graph.name}/gradients` })
  const result = graph.outputs.find((o) => o.name === of)
  if (!result)
    throw new FepError(
      'FEP_BAD_GRAPH',
      `graph '${graph.name}' has no output '${of}'; it has ${graph.outputs.map((o) => o.name).join(', ')}`,
    )
  const target = values.get(result.value) as Value
  if (target.dtype !== 'float32' || target.shape.length !== 0) {
    throw new FepError(
      'FEP_NO_GRADIENT',
      `output '${of}' is ${target.dtype}${formatShape(target.shape)}; only a float32 scalar can be differentiated (sum it first)`,
    )
  }
  addGradients(values, builder.constant(1), target, wrt, rename, graph)
  return builder.build()
}

function addGradients(
  values: Map<string, Value>,
  seed: Value,
  target: Value,
  wrt: readonly string[],
  rename: (input: string) => string,
  graph: Graph,
): void {
  const sources = wrt.map((name) => {
    if (!graph.inputs.includes(name))
      throw new FepError('FEP_BAD_GRAPH', `graph '${graph.name}' has no input '${name}'`)
    return values.get(name) as Value
  })
  differentiate([[target, seed]], sources).forEach((g, i) =>
    target.builder.output(rename(wrt[i] as string), g),
  )
}

/**
 * The vector-Jacobian product as a graph: outputs stay, one feed `cotangent/OUTPUT` is added for each of `of`, and
 * outputs `grad/INPUT` for each of `wrt`.
 */
export function vjpGraph(
  graph: Graph,
  { of, wrt }: { of: readonly string[]; wrt: readonly string[] },
): Graph {
  const { builder, values } = extendGraph(graph, { expandComposites: true, name: `${graph.name}/vjp` })
  const seeds = of.map((name) => {
    const result = graph.outputs.find((o) => o.name === name)
    if (!result) throw new FepError('FEP_BAD_GRAPH', `graph '${graph.name}' has no output '${name}'`)
    const value = values.get(result.value) as Value
    return [value, builder.input(`cotangent/${name}`, value.dtype, value.shape)] as const
  })
  differentiate(
    seeds,
    wrt.map((name) => values.get(name) as Value),
  ).forEach((g, i) => builder.output(`grad/${wrt[i]}`, g))
  return builder.build()
}
