/** The programs behind a trainer: loss → gradients → packed vectors → optimizer, each step Graph → Graph. */
import { gradients } from '../autodiff/gradients.js'
import { extendGraph, GraphBuilder, type Value } from '../graph/builder.js'
import { add, div } from '../graph/expressions.js'
import type { Graph } from '../graph/types.js'
import { applyOptimizer, updateParameter } from '../optim/apply-optimizer.js'
import type { Optimizer } from '../optim/optimizers.js'
import { packInputs } from '../optim/pack.js'
import { optimize } from '../passes/optimize.js'
import type { ResolvedGateConfig } from './config.js'
import { type LossOptions, lossGraph } from './loss.js'

/** Feed and result: all parameters in one vector. */
export const PACKED = 'params'
/** Feed and result: the sum of accumulated gradients. */
export const TOTAL = 'gradients'

function gradientGraph(config: ResolvedGateConfig, options: LossOptions, names: readonly string[]): Graph {
  return packInputs(gradients(lossGraph(config, options), { of: 'loss', wrt: names }), names, PACKED)
}

/** Loss, gradients and update in one program. */
export function stepGraph(
  config: ResolvedGateConfig,
  options: LossOptions,
  names: readonly string[],
  optimizer: Optimizer,
): Graph {
  return optimize(applyOptimizer(gradientGraph(config, options, names), optimizer, [PACKED]))
}

/** Takes the gradient total in and returns it with this micro-batch added. */
export function accumulateGraph(
  config: ResolvedGateConfig,
  options: LossOptions,
  names: readonly string[],
): Graph {
  const graph = gradientGraph(config, options, names)
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
  const grad = div(builder.input(TOTAL, 'float32', [total]), builder.input('count', 'float32', []))
  updateParameter(builder, optimizer, { name: PACKED, param, grad, lr: builder.input('lr', 'float32', []) })
  return builder.build()
}
