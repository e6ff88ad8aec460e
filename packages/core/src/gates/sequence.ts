/** The sequence form of a gate as a graph; a single step is a sequence of one. */
import { GraphBuilder, type Value } from '../graph/builder.js'
import { clip, permute, reshape } from '../graph/expressions.js'
import type { Graph } from '../graph/types.js'
import { composeGate } from './compose.js'
import type { ResolvedGateConfig } from './config.js'
import { swapLayout, unflattenTokens } from './feature-major.js'
import {
  declareParams,
  declarePerToken,
  declarePrecision,
  declareStates,
  declareTokens,
  type Layout,
  returnStates,
} from './feeds.js'
import { selectExperts } from './select.js'

/** Finite tokens beyond this magnitude saturate, so that no product inside a gate overflows. */
export const SATURATION = 1e15

/** What a sequence graph takes and returns. */
export interface SequenceOptions {
  /** T >= 0. */
  readonly steps: number
  /** Default `batch-major`. */
  readonly layout?: Layout
  /** Take the states in (`state/memory` (B, width) and others) and return them. Default false. */
  readonly state?: boolean
  /** Take `reset`, bool (B, T). Default false. */
  readonly reset?: boolean
  /** Return `next` where there is anticipation. Default true. */
  readonly next?: boolean
  /**
   * Also return `memory` (B, T, width) and `prediction` (B, T, d), and of a belief gate `belief` (B, T, S·M), `present`
   * (B, T, E) and `surprise` (B, T). Default false.
   */
  readonly details?: boolean
}

/**
 * The sequence form. Feeds: parameters, `x`, and where configured `precision` (E) or (B,T,E), or `feedback` (B,T,E), `state/NAME`, `reset`.
 * Results: `weights` (B,T,E), `indices` (B,T,k), `margin` (B,T), `logits` (B,T,E), and where there is one `next` (B,T,E),
 * `state/NAME` (B,width).
 */
export function sequenceGraph(config: ResolvedGateConfig, options: SequenceOptions): Graph {
  const { steps, layout = 'batch-major' } = options
  const builder = new GraphBuilder('gate')
  const params = declareParams(builder, config)
  const tokens = declareTokens(builder, 'x', config.dim, steps, layout)
  const saturate = (v: Value) => clip(v, -SATURATION, SATURATION)
  const x = saturate(tokens)
  const precision = declarePrecision(builder, config, steps, layout)
  const state = options.state ? declareStates(builder, config) : {}
  const reset = options.reset ? declarePerToken(builder, 'reset', 'bool', steps, layout) : undefined
  const gate = composeGate(builder, config, {
    params,
    x,
    ...(layout === 'batch-major' && steps > 1 && { rows: () => saturate(tokens.node?.inputs[0] as Value) }),
    ...(precision && { precision }),
    state,
    ...(reset && { reset }),
    ...(options.details && { details: true }),
  })
  const { weights, indices, margin } = builder.scope('select', () =>
    selectExperts(config, gate.logits, gate.drive),
  )
  const edge = (v: Value) => (layout === 'feature-major' ? v : swapLayout(v))
  const perToken = (v: Value) => edge(unflattenTokens(v, x))
  builder.output('weights', perToken(weights))
  builder.output('indices', perToken(indices))
  const scalar = (v: Value) => {
    const flat = reshape(v, [steps, 'batch'])
    return layout === 'feature-major' ? flat : permute(flat)
  }
  builder.output('margin', scalar(margin))
  builder.output('logits', perToken(gate.logits))
  if (gate.next && options.next !== false) builder.output('next', perToken(gate.next()))
  if (options.details && gate.memory) builder.output('memory', edge(gate.memory))
  if (options.details && gate.xHat) builder.output('prediction', edge(gate.xHat))
  for (const [name, v] of Object.entries(gate.details ?? {}))
    builder.output(name, name === 'surprise' ? scalar(v) : edge(v))
  if (options.state) returnStates(builder, gate.states)
  return builder.build()
}
