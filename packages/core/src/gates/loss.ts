/** The training form of a gate as a graph: routing loss, and prediction loss where the gate anticipates. */
import { GraphBuilder, type Value } from '../graph/builder.js'
import {
  add,
  cast,
  crossEntropyRows,
  div,
  expand,
  mul,
  not,
  size,
  slice,
  softmax,
  stopGradient,
  sub,
  sum,
} from '../graph/expressions.js'
import type { Graph } from '../graph/types.js'
import { weightedMean } from '../losses/losses.js'
import { composeGate, type GateValues } from './compose.js'
import type { ResolvedGateConfig } from './config.js'
import { unflattenTokens } from './feature-major.js'
import {
  declareParams,
  declarePerToken,
  declarePrecision,
  declareStates,
  declareTokens,
  type Layout,
  returnStates,
} from './feeds.js'
import { type ResolvedLoss, routedSteps, scoredSteps } from './loss-config.js'

/** What a loss graph takes. */
export interface LossOptions {
  /** T >= 1: steps of `x`. */
  readonly steps: number
  readonly layout?: Layout
  readonly loss: ResolvedLoss
  readonly reset?: boolean
  /** Take `mask` (B, T'), float32: weight of each routed step. */
  readonly mask?: boolean
  /** Take the states in, `state/NAME` (B, width), and return those after the last routed step. */
  readonly state?: boolean
}

/**
 * The training form. Feeds: parameters, `x` (B,T,d), `targets` (int32 (B,T') or float32 (B,T',E)), and where asked
 * `precision`, `reset` (B,T), `mask` (B,T'), `state/NAME` (B,width). Results: `loss`, `logits` (E, T', B), `state/NAME`.
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
  const everyPrecision = declarePrecision(builder, config, steps, layout)
  const resets = options.reset ? declarePerToken(builder, 'reset', 'bool', steps, layout) : undefined
  const mask = options.mask ? declarePerToken(builder, 'mask', 'float32', scored, layout) : undefined
  const state = options.state ? declareStates(builder, config) : {}
  const routed = routedSteps(steps, loss)
  const x = slice(all, 1, 0, routed)
  const reset = resets && slice(resets, 0, 0, routed)
  const future = loss.lastStep === 'drop' ? slice(all, 1, steps - routed) : undefined
  const precision =
    everyPrecision && config.precision?.scope !== 'shared'
      ? slice(everyPrecision, 1, 0, routed)
      : everyPrecision
  const gate = composeGate(builder, config, {
    params,
    x,
    ...(future && { future }),
    ...(precision && { precision }),
    ...(reset && { reset }),
    state,
  })
  const logits = slice(unflattenTokens(gate.logits, x), 1, routed - scored)
  const total = builder.scope('loss', () => {
    const routing = routingLoss(logits, targets, mask, loss)
    const prediction =
      gate.xHat && loss.predictionWeight !== 0 ? predictionLoss(gate, all, resets, mask, loss) : undefined
    return prediction ? add(routing, mul(prediction, loss.predictionWeight)) : routing
  })
  builder.output('loss', total)
  builder.output('logits', logits)
  if (options.state) returnStates(builder, gate.states)
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

/** (T, B) rows to a scalar: a sum over time of means over the batch, or a mean over tokens (which `last` has T = 1 of). */
function overTime(rows: Value, weights: Value | undefined, time: ResolvedLoss['time']): Value {
  if (time !== 'sum') return rows.shape[0] === 0 ? sum(rows) : weightedMean(rows, weights ? { weights } : {})
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
  { predictionTime, time }: ResolvedLoss,
): Value | undefined {
  const steps = all.shape[1] as number
  if (steps < 2) return undefined
  const d = sub(slice(gate.xHat as Value, 1, 0, steps - 1), stopGradient(slice(all, 1, 1)))
  const rows = div(sum(mul(d, d), 0), d.shape[0] as number)
  const within = resets && cast(not(slice(resets, 0, 1)), 'float32')
  // The mask of the last step alone weighs whole sequences.
  const whole = time === 'last' && mask ? expand(mask, rows.shape) : mask
  const scored = whole && slice(whole, 0, 0, steps - 1)
  const weights = within && scored ? mul(within, scored) : (within ?? scored)
  return overTime(rows, weights, predictionTime)
}
