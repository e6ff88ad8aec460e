/** Graph → module: every node through its lowering, then the outputs. */
import { eliminateDeadCode, type Graph, type Node, type PrimitiveName } from '@fep-moe/core'
import { isContiguous, type Lazy } from '@fep-moe/core/lowering'
import { buffersOf, type Module } from '../ir/module.js'
import { lowerings } from '../lowerings/table.js'
import { ModuleBuilder } from './module-builder.js'
import { Scope } from './scope.js'

/** Lowers a graph of primitives whose shapes are numbers. */
export function lowerGraph(graph: Graph): Module {
  const live = eliminateDeadCode(graph)
  const module = new ModuleBuilder()
  const scope = new Scope(module, live)
  for (const name of live.inputs) {
    const { dtype, shape } = scope.info(name)
    scope.define(name, module.feed(name, dtype, shape))
  }
  lowerNodes(scope)
  const outputs = live.outputs.map(({ name, value }) => {
    const { dtype, shape } = scope.info(value)
    // The caller may change a feed after the run, and may have handed it in again as the place for a result.
    const kept = scope.view(value).buffer.kind === 'feed' || !isContiguous(scope.view(value))
    if (kept) scope.materialize(value)
    return { name, dtype, shape, view: scope.view(value) }
  })
  const { stages, feeds, memory, matrices } = module
  const read = buffersOf(stages)
  for (const { view } of outputs) read.add(view.buffer)
  const constants = module.constants.filter(({ buffer }) => read.has(buffer))
  return { name: live.name, stages, feeds, constants, matrices, memory, outputs }
}

/** Lowers a graph inside another one (the body of a Scan), with values for its inputs. */
export function lowerBody(module: ModuleBuilder, graph: Graph, inputs: readonly Lazy[]): Scope {
  const scope = new Scope(module, eliminateDeadCode(graph))
  graph.inputs.forEach((name, i) => {
    scope.define(name, inputs[i] as Lazy)
  })
  lowerNodes(scope)
  return scope
}

function lowerNodes(scope: Scope): void {
  for (const node of scope.graph.nodes) {
    const lower = lowerings[node.op as PrimitiveName] as (scope: Scope, node: Node) => void
    lower(scope, node)
  }
}
