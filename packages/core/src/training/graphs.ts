/** The programs behind a trainer: loss → gradients → packed vectors → optimizer, each step Graph → Graph. */
import { gradients } from '../autodiff/gradients.js'
import { extendGraph, GraphBuilder, type Value } from '../graph/builder.js'
import { add, div } from '../graph/expressions.js'
import type { Graph } from '../graph/types.js'
import { applyOptimizer, transformGradients, updateParameter } from '../optim/apply-optimizer.js'
import type { Optimizer } from '../optim/optimizers.js'
import { packInputs } from '../optim/pack.js'
import { foldScales } from '../passes/fold-scales.js'
import { optimize } from '../passes/optimize.js'
import type { Tensor } from '../tensor.js'

/** Feed and result: all parameters in one vector. */
export const PACKED = 'params'
/** Feed and result: the sum of accumulated gradients. */
export const TOTAL = 'gradients'

/**
 * State that a training carries beside parameters (counts, cutoffs). A loss graph takes it and returns it, under the same
 * names, with its batch accumulated.
 */
export interface CarriedState {
  /** Float32 tensors by feed name. */
  readonly initial: Readonly<Record<string, Tensor>>
  /** What an optimizer step makes of what was accumulated, once however many batches that were. */
  settle(state: Readonly<Record<string, Value>>): Readonly<Record<string, Value>>
}

/** `loss`: a graph with the parameters among its feeds and the scalar `loss` among its results. */
function gradientGraph(loss: Graph, names: readonly string[]): Graph {
  return packInputs(gradients(loss, { of: 'loss', wrt: names }), names, PACKED)
}

/** Loss, gradients and update in one program. */
export function stepGraph(
  loss: Graph,
  names: readonly string[],
  optimizer: Optimizer,
  carried?: CarriedState,
): Graph {
  const step = applyOptimizer(gradientGraph(loss, names), optimizer, [PACKED])
  return foldScales(optimize(carried ? settled(step, carried) : step))
}

/** The graph with its accumulated state settled. */
function settled(graph: Graph, { initial, settle }: CarriedState): Graph {
  const { builder, values } = extendGraph(graph, { outputs: false })
  const accumulated: Record<string, Value> = {}
  for (const { name, value } of graph.outputs) {
    if (name in initial) accumulated[name] = values.get(value) as Value
    else builder.output(name, values.get(value) as Value)
  }
  for (const [name, value] of Object.entries(settle(accumulated))) builder.output(name, value)
  return builder.build()
}

/** Takes the gradient total in and returns it with this micro-batch added. */
export function accumulateGraph(loss: Graph, names: readonly string[]): Graph {
  const graph = gradientGraph(loss, names)
  const { builder, values } = extendGraph(graph, { outputs: false })
  for (const { name, value } of graph.outputs) {
    const result = values.get(value) as Value
    if (name !== `grad/${PACKED}`) builder.output(name, result)
    else builder.output(TOTAL, add(builder.input(TOTAL, 'float32', result.shape), result))
  }
  return foldScales(optimize(builder.build()))
}

/** The optimizer alone, on the mean of `count` accumulated gradients. */
export function applyGraph(optimizer: Optimizer, total: number, carried?: CarriedState): Graph {
  const builder = new GraphBuilder('apply')
  const param = builder.input(PACKED, 'float32', [total])
  const mean = div(builder.input(TOTAL, 'float32', [total]), builder.input('count', 'float32', []))
  const [grad] = transformGradients(builder, optimizer, [mean]) as [Value]
  updateParameter(builder, optimizer, { name: PACKED, param, grad, lr: builder.input('lr', 'float32', []) })
  if (!carried) return builder.build()
  for (const [name, { shape }] of Object.entries(carried.initial))
    builder.output(name, builder.input(name, 'float32', shape))
  return settled(builder.build(), carried)
}
