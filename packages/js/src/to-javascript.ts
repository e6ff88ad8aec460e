/** Graph → text of a JavaScript module body, without running anything. */
import { bindBatch, expandComposites, FepError, type Graph, schemas, show, verifyGraph } from '@fep-moe/core'
import { moduleText } from './emit/module-text.js'
import type { Module } from './ir/module.js'
import { lowerGraph } from './lower/lower-graph.js'
import { lifetimesOf, type Plan, planMemory } from './plan.js'

/** Options of {@link toJavaScript}. */
export interface ToJavaScriptOptions {
  /** Batch size for graphs that have one; an integer >= 0, default 1. Code is made for one size. */
  readonly batch?: number
}

/**
 * The code that {@link jsBackend} runs for a graph. It is the body of a function of `runtime` (helpers of this package),
 * `constants` (typed arrays) and, where it multiplies vectors by constant matrices, `space` (`memory`, the byte `base` from
 * which it is the program's, and `matvec(x, matrix, out, columns, rows)` on byte addresses in it). The function returns
 * `{ run(feeds), results }`.
 * @throws FEP_BAD_GRAPH, FEP_BAD_ARGUMENT
 */
export function toJavaScript(graph: Graph, options: ToJavaScriptOptions = {}): string {
  const batch = checkOptions(options)
  verifyGraph(graph)
  return generate(bindBatch(expandComposites(graph), batch)).text
}

/** The text of a graph of primitives with numeric shapes, and what it was made from. */
export function generate(graph: Graph): { module: Module; plan: Plan; text: string } {
  const module = lowerGraph(graph)
  const plan = planMemory(lifetimesOf(module))
  return { module, plan, text: moduleText(module, plan) }
}

function checkOptions(options: ToJavaScriptOptions): number {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new FepError('FEP_BAD_ARGUMENT', `toJavaScript: options are ${show(options)}; expected an object`)
  const { batch = 1, ...unknown } = options
  const [extra] = Object.keys(unknown)
  if (extra !== undefined)
    throw new FepError('FEP_BAD_ARGUMENT', `toJavaScript: unknown option ${show(extra)}; accepted: batch`)
  return schemas.parse(schemas.integerFrom(0), batch, 'toJavaScript.batch', 'FEP_BAD_ARGUMENT')
}
