/** Graphs of the routers: tokens in, logits or a loss out. Features first, as gates compute. */
import { type Graph, GraphBuilder, linearSpecs, ops, type ParameterSpec, type Value } from '@fep-moe/core'
import type { ResolvedBaseline } from './config.js'
import { type LayerState, layerOf, projected, zeroState } from './layers.js'

/** What a graph takes and returns. */
export interface BaselineForm {
  /** T >= 1. */
  readonly steps: number
  /** Take the states in and return them, `state/0`.. by layer. Default false: 0 before the first token. */
  readonly state?: boolean
}

/** Inputs of every layer. */
const widths = ({ dim, hidden, layers }: ResolvedBaseline): number[] =>
  Array.from({ length: layers }, (_, n) => (n === 0 ? dim : hidden))

/** Parameters: `layers.0.*`.., then the readout `W.weight` (E,H), `W.bias`. */
export function baselineParams(config: ResolvedBaseline): readonly ParameterSpec[] {
  const { kind, hidden, experts } = config
  return [
    ...widths(config).flatMap((inputs, n) =>
      layerOf[kind].params(config, inputs).map((spec) => ({ ...spec, name: `layers.${n}.${spec.name}` })),
    ),
    ...linearSpecs('W', hidden, experts),
  ]
}

/** What is carried from step to step, by layer. */
export const baselineStates = (config: ResolvedBaseline): readonly LayerState[] =>
  widths(config).map((inputs) => layerOf[config.kind].state(config, inputs))

function emit(builder: GraphBuilder, config: ResolvedBaseline, { steps, state = false }: BaselineForm) {
  const params = Object.fromEntries(
    baselineParams(config).map(({ name, shape }) => [name, builder.input(name, 'float32', shape)]),
  )
  const x = builder.input('x', 'float32', [config.dim, steps, 'batch'])
  const after: Value[] = []
  const hidden = baselineStates(config).reduce((input, spec, n) => {
    const before = state
      ? builder.input(`state/${n}`, 'float32', [spec.width, spec.steps, 'batch'])
      : zeroState(builder, spec)
    const start = `layers.${n}.`
    const own = Object.fromEntries(
      Object.entries(params).flatMap(([name, value]) =>
        name.startsWith(start) ? [[name.slice(start.length), value]] : [],
      ),
    )
    const found = layerOf[config.kind].apply(input, own, before, config)
    after.push(found.after)
    return found.y
  }, x)
  const returnStates = () => {
    if (state)
      after.forEach((value, n) => {
        builder.output(`state/${n}`, value)
      })
  }
  return { logits: projected(hidden, params['W.weight'] as Value, params['W.bias'] as Value), returnStates }
}

/** The sequence form. Feeds: parameters, `x` (d,T,B), and where asked states. Results: `logits` (E,T,B), states. */
export function baselineGraph(config: ResolvedBaseline, form: BaselineForm): Graph {
  const builder = new GraphBuilder(config.kind)
  const { logits, returnStates } = emit(builder, config, form)
  builder.output('logits', logits)
  returnStates()
  return builder.build()
}

/** The training form: also `targets` (T,B) int32; results `loss`, the mean cross-entropy, `logits` (E,T,B), states. */
export function baselineLossGraph(config: ResolvedBaseline, form: BaselineForm): Graph {
  const builder = new GraphBuilder(`${config.kind}/training`)
  const { logits, returnStates } = emit(builder, config, form)
  const targets = builder.input('targets', 'int32', [form.steps, 'batch'])
  builder.output('loss', ops.mean(ops.crossEntropyRows(logits, targets, 0)))
  builder.output('logits', logits)
  returnStates()
  return builder.build()
}
