/** The programs behind a trainer: loss → gradients → packed vectors → optimizer, each step Graph → Graph. */
import { gradients } from '../autodiff/gradients.js'
import { extendGraph, GraphBuilder, type Value } from '../graph/builder.js'
import { add, div } from '../graph/expressions.js'
import type { Graph } from '../graph/types.js'
import { applyOptimizer, transformGradients, updateParameter } from '../optim/apply-optimizer.js'
import type { Optimizer } from '../optim/optimizers.js'
import { packInputs } from '../optim/pack.js'
import { optimize } from '../passes/optimize.js'

/** Feed and result: all parameters in one vector. */
export const PACKED = 'params'
/** Feed and result: the sum of accumulated gradients. */
export const TOTAL = 'gradients'

/** `loss`: a graph with the parameters among its feeds and the scalar `loss` among its results. */
function gradientGraph(loss: Graph, names: readonly string[]): Graph {
  return packInputs(gradients(loss, { of: 'loss', wrt: names }), names, PACKED)
}

/** Loss, gradients and update in one program. */
export function stepGraph(loss: Graph, names: readonly string[], optimizer: Optimizer): Graph {
  return optimize(applyOptimizer(gradientGraph(loss, names), optimizer, [PACKED]))
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
  return optimize(builder.build())
}

/** The optimizer alone, on the mean of `count` accumulated gradients. */
export function applyGraph(optimizer: Optimizer, total: number): Graph {
  const builder = new GraphBuilder('apply')
  const param = builder.input(PACKED, 'float32', [total])
  const mean = div(builder.input(TOTAL, 'float32', [total]), builder.input('count', 'float32', []))
  const [grad] = transformGradients(builder, optimizer, [mean]) as [Value]
  updateParameter(builder, optimizer, { name: PACKED, param, grad, lr: builder.input('lr', 'float32', []) })
  return builder.build()
}
