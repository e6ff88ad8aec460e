/** Graph → Graph: a graph with gradients becomes one that also returns updated parameters and optimizer state. */
import { FepError } from '../errors.js'
import { extendGraph, type GraphBuilder, type Value } from '../graph/builder.js'
import { formatShape } from '../graph/shape.js'
import type { Graph } from '../graph/types.js'
import type { Optimizer } from './optimizers.js'

/** Name of a state feed and of the result that replaces it. */
export const stateName = (optimizer: Optimizer, state: string, param: string): string =>
  `${optimizer.name}/${state}/${param}`

/**
 * For every parameter P with an output `grad/P`: adds feeds for its optimizer state and `lr`, and results `P` and the
 * new state under the same names as the feeds. The gradient outputs are dropped.
 * @throws FEP_BAD_GRAPH where an input or its gradient is missing
 */
export function applyOptimizer(graph: Graph, optimizer: Optimizer, params: readonly string[]): Graph {
  const { builder, values } = extendGraph(graph, { name: `${graph.name}/${optimizer.name}`, outputs: false })
  const outputs = new Map(graph.outputs.map((o) => [o.name, values.get(o.value) as Value]))
  for (const [name, value] of outputs)
    if (!params.some((p) => name === `grad/${p}`)) builder.output(name, value)
  const lr = builder.input('lr', 'float32', [])
  const found = params.map((name) => {
    const param = graph.inputs.includes(name) ? values.get(name) : undefined
    const grad = outputs.get(`grad/${name}`)
    if (!param || !grad)
      throw new FepError(
        'FEP_BAD_GRAPH',
        `graph '${graph.name}' lacks the ${param ? `output 'grad/${name}'` : `input '${name}'`}`,
      )
    return { name, param, grad, lr }
  })
  const grads = transformGradients(
    builder,
    optimizer,
    found.map(({ grad }) => grad),
  )
  found.forEach((one, i) => updateParameter(builder, optimizer, { ...one, grad: grads[i] as Value }))
  return builder.build()
}

/** What an optimizer makes of all gradients together, before it updates anything. */
export function transformGradients(
  builder: GraphBuilder,
  optimizer: Optimizer,
  grads: readonly Value[],
): readonly Value[] {
  return optimizer.transform
    ? builder.scope(optimizer.name, () => optimizer.transform?.(grads) ?? grads)
    : grads
}

/** Emits one update on a builder, with its feeds and results. @throws FEP_BAD_GRAPH where shapes differ */
export function updateParameter(
  builder: GraphBuilder,
  optimizer: Optimizer,
  { name, param, grad, lr }: { name: string; param: Value; grad: Value; lr: Value },
): void {
  if (param.shape.join() !== grad.shape.join())
    throw new FepError(
      'FEP_BAD_GRAPH',
      `parameter '${name}' is ${formatShape(param.shape)}, its gradient ${formatShape(grad.shape)}`,
    )
  const state = Object.fromEntries(
    optimizer.state.map((s) => [
      s.name,
      builder.input(stateName(optimizer, s.name, name), 'float32', s.shape === 'scalar' ? [] : param.shape),
    ]),
  )
  const updated = builder.scope(optimizer.name, () => optimizer.update({ param, grad, lr, state }))
  builder.output(name, updated.param)
  for (const s of optimizer.state)
    builder.output(stateName(optimizer, s.name, name), updated.state[s.name] as Value)
}
