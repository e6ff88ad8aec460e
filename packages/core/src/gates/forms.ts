/** The forms of a gate as graphs: a sequence (a single step is a sequence of one) and a training loss. */
import { GraphBuilder, type Value } from '../graph/builder.js'
import {
  add,
  cast,
  clip,
  crossEntropyRows,
  div,
  mul,
  not,
  permute,
  reshape,
  size,
  slice,
  softmax,
  stopGradient,
  sub,
  sum,
} from '../graph/expressions.js'
import type { Dim, Graph } from '../graph/types.js'
import { weightedMean } from '../losses/losses.js'
import { composeGate, type GateValues, gateParams } from './compose.js'
import type { ResolvedGateConfig } from './config.js'
import { swapLayout, unflattenTokens } from './feature-major.js'
import { selectExperts } from './select.js'

/** `batch-major`: (B, T, f), as users have it. `feature-major`: (f, T, B), as gates compute: no transposes at the edge. */
export type Layout = 'batch-major' | 'feature-major'

/** Finite tokens beyond this magnitude saturate, so that no product inside a gate overflows. */
const SATURATION = 1e15

/** What a sequence graph takes and returns. */
export interface SequenceOptions {
  /** T >= 0. */
  readonly steps: number
  /** Default `batch-major`. */
  readonly layout?: Layout
  /** Take the membrane in (`state/memory`, (B, d)) and return it. Default false. */
  readonly state?: boolean
  /** Take `reset`, bool (B, T). Default false. */
  readonly reset?: boolean
  /** Return `next` where there is anticipation. Default true. */
  readonly next?: boolean
  /** Also return `memory` and `prediction` (B, T, d). Default false. */
  readonly details?: boolean
}

function declareParams(builder: GraphBuilder, config: ResolvedGateConfig): Record<string, Value> {
  return Object.fromEntries(
    gateParams(config).map(({ name, shape }) => [name, builder.input(name, 'float32', shape)]),
  )
}

/** A feed of tokens, always returned features first. */
function declareTokens(
  builder: GraphBuilder,
  name: string,
  features: number,
  steps: number,
  layout: Layout,
): Value {
  return layout === 'feature-major'
    ? builder.input(name, 'float32', [features, steps, 'batch'])
    : swapLayout(builder.input(name, 'float32', ['batch', steps, features]))
}

/** A feed of one number per token, always returned (T, B). */
function declarePerToken(
  builder: GraphBuilder,
  name: string,
  dtype: 'float32' | 'int32' | 'bool',
  steps: number,
  layout: Layout,
): Value {
  return layout === 'feature-major'
    ? builder.input(name, dtype, [steps, 'batch'])
    : permute(builder.input(name, dtype, ['batch', steps]))
}

/**
 * The sequence form. Feeds: parameters, `x`, and where configured `precision` (E), `state/memory`, `reset`. Results:
 * `weights` (B,T,E), `indices` (B,T,k), `margin` (B,T), `logits` (B,T,E), and where there is one `next` (B,T,E),
 * `state/memory` (B,d).
 */
export function sequenceGraph(config: ResolvedGateConfig, options: SequenceOptions): Graph {
  const { steps, layout = 'batch-major' } = options
  const builder = new GraphBuilder('gate')
  const params = declareParams(builder, config)
  const x = clip(declareTokens(builder, 'x', config.dim, steps, layout), -SATURATION, SATURATION)
  const precision = config.precision ? builder.input('precision', 'float32', [config.experts]) : undefined
  const h0 =
    options.state && config.memory
      ? reshape(permute(builder.input('state/memory', 'float32', ['batch', config.dim])), [
          config.dim,
          1,
          'batch',
        ])
      : undefined
  const reset = options.reset ? declarePerToken(builder, 'reset', 'bool', steps, layout) : undefined
  const gate = composeGate(builder, config, {
    params,
    x,
    ...(precision && { precision }),
    ...(h0 && { h0 }),
    ...(reset && { reset }),
  })
  const { weights, indices, margin } = builder.scope('select', () => selectExperts(config, gate.logits))
  const edge = (v: Value) => (layout === 'feature-major' ? v : swapLayout(v))
  const perToken = (v: Value) => edge(unflattenTokens(v, x))
  builder.output('weights', perToken(weights))
  builder.output('indices', perToken(indices))
  const flatMargin = reshape(margin, [steps, 'batch'])
  builder.output('margin', layout === 'feature-major' ? flatMargin : permute(flatMargin))
  builder.output('logits', perToken(gate.logits))
  if (gate.next && options.next !== false) builder.output('next', perToken(gate.next()))
  if (options.details && gate.h) builder.output('memory', edge(gate.h))
  if (options.details && gate.xHat) builder.output('prediction', edge(gate.xHat))
  if (options.state && gate.hLast)
    builder.output('state/memory', permute(reshape(gate.hLast, [config.dim, 'batch'])))
  return builder.build()
}

/** The routing loss. */
export interface LossConfig {
  /** `cross-entropy` against the right expert's index; `mse` against target weights (B,T,E). */
  readonly kind: 'cross-entropy' | 'mse'
  /**
   * Cross-entropy on the `logits` (−log of the weight), or on the dense softmax `weights` used as logits: the papers'
   * code does the latter in three scripts (softmax twice). Default `logits`.
   */
  readonly on?: 'logits' | 'weights'
  /** Reduction over time of the routing loss: `sum` of per-step means (paper A), or the `mean` over tokens. Default `mean`. */
  readonly time?: 'sum' | 'mean'
  /** The same for the prediction loss. Default: as `time`. */
  readonly predictionTime?: 'sum' | 'mean'
  /** Overrides `anticipation.lossWeight`. */
  readonly predictionWeight?: number
  /**
   * `drop`: only steps that have a successor are routed and scored (paper A trains on steps 0..T−2). Default `keep`,
   * and `drop` for the oracle, which has nothing to look at in the last step.
   */
  readonly lastStep?: 'keep' | 'drop'
}

/** A loss with its defaults. */
export type ResolvedLoss = Required<LossConfig>

/** What a loss graph takes. */
export interface LossOptions {
  /** T >= 1: steps of `x`. */
  readonly steps: number
  readonly layout?: Layout
  readonly loss: ResolvedLoss
  readonly reset?: boolean
  /** Take `mask` (B, T'), float32: weight of each routed step. */
  readonly mask?: boolean
}

/** Steps that are routed and scored. */
export const scoredSteps = (steps: number, { lastStep }: ResolvedLoss): number =>
  lastStep === 'drop' ? Math.max(steps - 1, 0) : steps

/**
 * The training form. Feeds: parameters, `x` (B,T,d), `targets` (int32 (B,T') or float32 (B,T',E)), and where asked
 * `precision`, `reset` (B,T), `mask` (B,T'). Results: `loss`, `logits` (E, T', B).
 */
export function lossGraph(config: ResolvedGateConfig, options: LossOptions): Graph {
  const { steps, layout = 'batch-major', loss } = options
  const builder = new GraphBuilder('training')
  const params = declareParams(builder, config)
  const scored = scoredSteps(steps, loss)
  const all = declareTokens(builder, 'x', config.dim, steps, layout)
  const targets =
    loss.kind === 'mse'
      ? declareTokens(builder, 'targets', config.experts, scored, layout)
      : declarePerToken(builder, 'targets', 'int32', scored, layout)
  const precision = config.precision ? builder.input('precision', 'float32', [config.experts]) : undefined
  const resets = options.reset ? declarePerToken(builder, 'reset', 'bool', steps, layout) : undefined
  const mask = options.mask ? declarePerToken(builder, 'mask', 'float32', scored, layout) : undefined
  const x = slice(all, 1, 0, scored)
  const reset = resets && slice(resets, 0, 0, scored)
  const future = loss.lastStep === 'drop' ? slice(all, 1, steps - scored) : undefined
  const gate = composeGate(builder, config, {
    params,
    x,
    ...(future && { future }),
    ...(precision && { precision }),
    ...(reset && { reset }),
  })
  const logits = unflattenTokens(gate.logits, x)
  const total = builder.scope('loss', () => {
    const routing = routingLoss(logits, targets, mask, loss)
    const prediction =
      gate.xHat && loss.predictionWeight !== 0 ? predictionLoss(gate, all, resets, mask, loss) : undefined
    return prediction ? add(routing, mul(prediction, loss.predictionWeight)) : routing
  })
  builder.output('loss', total)
  builder.output('logits', logits)
  return builder.build()
}

function routingLoss(
  logits: Value,
  targets: Value,
  mask: Value | undefined,
  { kind, on, time }: ResolvedLoss,
): Value {
  let rows: Value
  if (kind === 'mse') {
    const d = sub(softmax(logits, 0), targets)
    rows = div(sum(mul(d, d), 0), logits.shape[0] as number)
  } else rows = crossEntropyRows(on === 'weights' ? softmax(logits, 0) : logits, targets, 0)
  return overTime(rows, mask, time)
}

/** (T, B) rows to a scalar: a sum over time of means over the batch, or a mean over tokens. */
function overTime(rows: Value, weights: Value | undefined, time: 'sum' | 'mean'): Value {
  if (time === 'mean') return rows.shape[0] === 0 ? sum(rows) : weightedMean(rows, weights ? { weights } : {})
  const steps = Math.max(rows.shape[0] as number, 1)
  const batch = div(cast(size(rows), 'float32'), steps)
  return rows.shape[0] === 0 ? sum(rows) : div(sum(weights ? mul(rows, weights) : rows), batch)
}

/** ½-weighted by the caller: mean over features of (x̂_t − sg(x_{t+1}))², where t+1 exists and belongs to the same document. */
function predictionLoss(
  gate: GateValues,
  all: Value,
  resets: Value | undefined,
  mask: Value | undefined,
  { predictionTime }: ResolvedLoss,
): Value | undefined {
  const steps = all.shape[1] as number
  if (steps < 2) return undefined
  const d = sub(slice(gate.xHat as Value, 1, 0, steps - 1), stopGradient(slice(all, 1, 1)))
  const rows = div(sum(mul(d, d), 0), d.shape[0] as Dim as number)
  const within = resets && cast(not(slice(resets, 0, 1)), 'float32')
  const scored = mask && slice(mask, 0, 0, steps - 1)
  const weights = within && scored ? mul(within, scored) : (within ?? scored)
  return overTime(rows, weights, predictionTime)
}
