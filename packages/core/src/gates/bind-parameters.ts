/** Parameters of a gate that will be run often: what depends on them alone is computed once. */
import type { Backend, DeviceTensor, Feed, Fetches } from '../backend/contract.js'
import { takeAll } from '../backend/host-tensor.js'
import { GraphBuilder } from '../graph/builder.js'
import type { Graph } from '../graph/types.js'
import { bindInputs } from '../passes/bind-inputs.js'
import { hoist } from '../passes/hoist.js'
import { mergeProducts } from '../passes/merge-products.js'
import type { Tensor } from '../tensor.js'
import type { Params } from './parameters.js'

/** A graph that no longer takes parameters, but what was made of them. */
export interface BoundGraph {
  readonly graph: Graph
  /** Feeds of every run beside the graph's own: none where all are literals. */
  readonly feeds: Readonly<Record<string, Feed>>
  /** Frees the feeds. */
  dispose(): void
}

/**
 * Up to this number of elements, what was made of parameters becomes literals of the program: an executor then packs or
 * uploads them once, and a step has few feeds. More of them stay feeds, because a literal is held once more while the
 * program is compiled.
 */
const LARGEST_LITERALS = 2 ** 18

/**
 * Binds parameters to a graph whose batch is a number.
 * @param largest most elements that become literals
 */
export async function bindParameters(
  backend: Backend,
  graph: Graph,
  params: Params,
  largest = LARGEST_LITERALS,
): Promise<BoundGraph> {
  const names = Object.keys(params)
  const { ahead, rest } = hoist(mergeProducts(graph, names), names)
  const values: Record<string, Tensor> = await takeAll(await runOnce(backend, ahead, params))
  for (const name of names) if (rest.inputs.includes(name)) values[name] = params[name] as Tensor
  const count = Object.values(values).reduce((n, { data }) => n + data.length, 0)
  if (count <= largest) return { graph: bindInputs(rest, values), feeds: {}, dispose: () => undefined }
  const feeds = backend.capabilities.hostTensors ? values : await place(backend, values)
  const dispose = () => {
    for (const feed of Object.values(feeds)) if ('dispose' in feed) (feed as DeviceTensor).dispose()
  }
  return { graph: rest, feeds, dispose }
}

/** Tensors where the executor keeps its own: a run that hands its feeds back. */
function place(backend: Backend, values: Readonly<Record<string, Tensor>>): Promise<Fetches> {
  const builder = new GraphBuilder('parameters')
  for (const [name, { dtype, shape }] of Object.entries(values))
    builder.output(name, builder.input(name, dtype, shape))
  return runOnce(backend, builder.build(), values)
}

async function runOnce(
  backend: Backend,
  graph: Graph,
  tensors: Readonly<Record<string, Tensor>>,
): Promise<Fetches> {
  if (graph.outputs.length === 0) return {}
  const program = await backend.compile(graph)
  try {
    return await program.run(Object.fromEntries(graph.inputs.map((name) => [name, tensors[name] as Tensor])))
  } finally {
    program.dispose()
  }
}
