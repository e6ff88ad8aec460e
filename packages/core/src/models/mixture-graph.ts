/** Graphs of a dense mixture: routing, experts, their weighted sum, and a squared error. */
import { composeGate, gateParams } from '../gates/compose.js'
import { flattenTokens } from '../gates/feature-major.js'
import {
  declarePerToken,
  declarePrecision,
  declareStates,
  declareTokens,
  returnStates,
} from '../gates/feeds.js'
import type { ParameterSpec } from '../gates/parameters.js'
import { selectExperts } from '../gates/select.js'
import { SATURATION } from '../gates/sequence.js'
import { GraphBuilder, type Value } from '../graph/builder.js'
import { add, clip, mean, mul, permute, reshape, sub, sum } from '../graph/expressions.js'
import { mergeDims } from '../graph/shape.js'
import type { Graph } from '../graph/types.js'
import { applyExperts, expertParams } from './experts.js'
import type { ResolvedMixture } from './mixture-config.js'
import { partOf, prefixed } from './prefix.js'

/** Parameters of a mixture: `router.*`, `experts.e.net.{0,2}.*`. */
export const mixtureParams = ({ gate, experts }: ResolvedMixture): readonly ParameterSpec[] => [
  ...prefixed('router', gateParams(gate)),
  ...expertParams(experts),
]

/** What a graph of a mixture takes. */
export interface MixtureForm {
  /** T >= 0. */
  readonly steps: number
  /** Take and return the gate's states. */
  readonly state?: boolean
  /** Take `reset`, bool (B,T). */
  readonly reset?: boolean
  /** Take `noise` (B,T,E,outputs), added to what the experts return. */
  readonly noise?: boolean
}

/** Everything both forms share, features first. */
function emit(builder: GraphBuilder, model: ResolvedMixture, form: MixtureForm) {
  const { gate: config, experts } = model
  const { steps } = form
  const params = Object.fromEntries(
    mixtureParams(model).map(({ name, shape }) => [name, builder.input(name, 'float32', shape)]),
  )
  const x = clip(declareTokens(builder, 'x', config.dim, steps, 'batch-major'), -SATURATION, SATURATION)
  const precision = declarePrecision(builder, config, steps, 'batch-major')
  const reset = form.reset ? declarePerToken(builder, 'reset', 'bool', steps, 'batch-major') : undefined
  const gate = composeGate(builder, config, {
    params: partOf('router', params),
    x,
    state: form.state ? declareStates(builder, config) : {},
    ...(precision && { precision }),
    ...(reset && { reset }),
  })
  const chosen = builder.scope('select', () => selectExperts(config, gate.logits, gate.drive))
  const tokens = mergeDims([steps, 'batch'])
  const outputs = builder.scope('experts', () => applyExperts(experts, params, flattenTokens(x)))
  const noisy = form.noise
    ? add(
        outputs,
        reshape(
          permute(
            builder.input('noise', 'float32', ['batch', steps, experts.count, experts.outputs]),
            [2, 3, 1, 0],
          ),
          [experts.count, experts.outputs, tokens],
        ),
      )
    : outputs
  const weights = reshape(chosen.weights, [experts.count, 1, tokens])
  const y = builder.scope('combine', () => sum(mul(weights, noisy), 0))
  /** (f, N) → (B, T, f) */
  const edge = (v: Value) => permute(reshape(v, [v.shape[0] as number, steps, 'batch']), [2, 1, 0])
  return { gate, chosen, outputs: noisy, y, edge }
}

/**
 * The sequence form. Results: `y` (B,T,outputs), `outputs` of every expert (B,T,E,outputs), `weights` (B,T,E), `indices`
 * (B,T,k), `margin` (B,T), `logits` (B,T,E), and `state/NAME`.
 */
export function mixtureGraph(model: ResolvedMixture, form: MixtureForm): Graph {
  const builder = new GraphBuilder('mixture')
  const { experts } = model
  const { gate, chosen, outputs, y, edge } = emit(builder, model, form)
  builder.output('y', edge(y))
  builder.output(
    'outputs',
    permute(reshape(outputs, [experts.count, experts.outputs, form.steps, 'batch']), [3, 2, 0, 1]),
  )
  builder.output('weights', edge(chosen.weights))
  builder.output('indices', edge(chosen.indices))
  builder.output('margin', permute(reshape(chosen.margin, [form.steps, 'batch'])))
  builder.output('logits', edge(gate.logits))
  if (form.state) returnStates(builder, gate.states)
  return builder.build()
}

/**
 * The training form: `loss`, the mean of (y − targets)² over tokens and outputs, summed over time where asked; and
 * `errors` (E), the mean squared error of each expert alone, which precision tracks.
 */
export function mixtureLossGraph(
  model: ResolvedMixture,
  form: MixtureForm & { readonly time: 'sum' | 'mean' },
): Graph {
  const builder = new GraphBuilder('mixture/training')
  const { experts } = model
  const { outputs, y } = emit(builder, model, form)
  const targets = flattenTokens(declareTokens(builder, 'targets', experts.outputs, form.steps, 'batch-major'))
  builder.scope('loss', () => {
    const d = sub(y, targets)
    const average = mean(mul(d, d))
    builder.output('loss', form.time === 'sum' ? mul(average, form.steps) : average)
    const each = sub(outputs, targets)
    builder.output('errors', mean(mul(each, each), [1, 2]))
  })
  return builder.build()
}
