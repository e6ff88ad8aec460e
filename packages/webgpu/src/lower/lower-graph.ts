/** Graph → module: every node through its lowering, then the outputs. */
import { eliminateDeadCode, type Graph, type Node } from '@fep-moe/core'
import { isContiguous } from '@fep-moe/core/lowering'
import { buffersOf, type Module } from '../ir/module.js'
import { type LoweredName, lowerings } from '../lowerings/table.js'
import { ModuleBuilder } from './module-builder.js'
import { Scope } from './scope.js'

/**
 * Lowers a graph of primitives and claimed composites, whose shapes are numbers.
 * @param mostCost see {@link ModuleBuilder}
 */
export function lowerGraph(graph: Graph, mostCost: number): Module {
  const live = eliminateDeadCode(graph)
  const module = new ModuleBuilder(mostCost)
  const scope = new Scope(module, live)
  for (const name of live.inputs) {
    const { dtype, shape } = scope.info(name)
    scope.define(name, module.input(name, dtype, shape))
  }
  for (const node of live.nodes) lowerNode(scope, node)
  const outputs = live.outputs.map(({ name, value }) => {
    const { dtype, shape } = scope.info(value)
    if (!isContiguous(scope.view(value))) scope.materialize(value)
    return { name, dtype, shape, view: scope.view(value) }
  })
  const used = buffersOf(module.stages)
  for (const { view } of outputs) used.add(view.buffer)
  return {
    name: live.name,
    stages: module.stages,
    inputs: module.inputs.filter(({ view }) => used.has(view.buffer)),
    constants: module.constants.filter(({ buffer }) => used.has(buffer)),
    outputs,
  }
}

/** Lowers one node. */
export function lowerNode(scope: Scope, node: Node): void {
  const lower = lowerings[node.op as LoweredName] as (scope: Scope, node: Node) => void
  lower(scope, node)
}
