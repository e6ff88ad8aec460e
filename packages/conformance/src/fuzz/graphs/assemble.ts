/** Recipe → graph and feeds. */
import { type Graph, gradients, type OpName, ops, optimize, type Tensor, vjpGraph } from '@fep-moe/core'
import { Assembly, type Known } from './assembly.js'
import { fillInput, type Input } from './feeds.js'
import type { Recipe } from './recipe.js'
import { emitStep } from './table.js'

/** A random graph, ready to run. */
export interface RandomGraph {
  /** What the bounds are computed on. */
  readonly graph: Graph
  /** What the executor gets: the same graph, optimized or not. */
  readonly given: Graph
  readonly feeds: Readonly<Record<string, Tensor>>
  readonly batch: number
}

/**
 * Puts a recipe's graph together. A pure function: the same recipe gives the same graph and the same bytes.
 * @param excluded operators that the executor does not have
 */
export function assemble(recipe: Recipe, excluded: ReadonlySet<OpName> = new Set()): RandomGraph {
  const assembly = new Assembly('random', recipe.dims, excluded)
  for (const step of recipe.steps) emitStep(assembly, step)
  const plain = finish(assembly, recipe)
  const inputs: Input[] = [...assembly.inputs]
  const { graph, cotangents } = derive(plain, inputs, recipe)
  const feeds = Object.fromEntries(
    [...inputs, ...cotangents].map((input, k) => [
      input.name,
      fillInput(input, recipe.batch, (Math.imul(recipe.data, 31) + k) | 0),
    ]),
  )
  return { graph, given: recipe.optimize ? optimize(graph) : graph, feeds, batch: recipe.batch }
}

/** Results are what nothing reads, and with gradients a scalar made of them. */
function finish(assembly: Assembly, { derive }: Recipe): Graph {
  const { builder, pool } = assembly
  const used = new Set(builder.nodes.flatMap((node) => [...node.inputs]))
  const leaves = pool.filter(({ value }) => value.node !== undefined && !used.has(value))
  // Where an instruction returned its operand, and nothing else was made, the graph returns a feed.
  const shown: Known[] = leaves.length > 0 ? leaves : pool.slice(-1)
  if (derive === 'gradients') {
    const terms = shown
      .filter(({ value }) => value.dtype === 'float32')
      .map((known, i) => {
        const { value } = assembly.tamed(known)
        return ops.sum(i % 2 === 0 ? ops.mul(value, value) : value)
      })
    builder.output('loss', terms.length > 0 ? terms.reduce(ops.add) : builder.constant(1))
  }
  const distinct = [...new Set(shown.map(({ value }) => value))]
  if (distinct.length === 0) distinct.push(builder.constant(1))
  distinct.forEach((value, i) => builder.output(`y${i}`, value))
  return builder.build()
}

const isFloat = (graph: Graph, name: string): boolean => graph.values[name]?.dtype === 'float32'

/** Adds gradients of what is float, with respect to every float input. */
function derive(
  graph: Graph,
  inputs: readonly Input[],
  { derive: how }: Recipe,
): { graph: Graph; cotangents: Input[] } {
  const wrt = inputs.filter((input) => input.dtype === 'float32').map((input) => input.name)
  if (how === 'no' || wrt.length === 0) return { graph, cotangents: [] }
  if (how === 'gradients') return { graph: gradients(graph, { of: 'loss', wrt }), cotangents: [] }
  const of = graph.outputs.filter(({ value }) => isFloat(graph, value)).map(({ name }) => name)
  if (of.length === 0) return { graph, cotangents: [] }
  const pulled = vjpGraph(graph, { of, wrt })
  const cotangents = of.map((name): Input => {
    const { dtype, shape } = pulled.values[`cotangent/${name}`] as Input
    return { name: `cotangent/${name}`, dtype, shape, filling: { kind: 'noise' } }
  })
  return { graph: pulled, cotangents }
}
