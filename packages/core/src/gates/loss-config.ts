/** The training loss of a gate, as plain data. */
import * as v from 'valibot'
import { FepError } from '../errors.js'
import { nonNegative, parse } from '../schema.js'
import { predictsToken } from './anticipation.js'
import type { ResolvedGateConfig } from './config.js'

/** The routing loss. */
export interface LossConfig {
  /** `cross-entropy` against the right expert's index; `mse` against target weights (B,T,E). */
  readonly kind: 'cross-entropy' | 'mse'
  /**
   * Cross-entropy on the `logits` (−log of the weight), or on the dense softmax `weights` used as logits: the papers'
   * code does the latter in three scripts (softmax twice). Default `logits`.
   */
  readonly on?: 'logits' | 'weights'
  /**
   * Reduction over time of the routing loss: `sum` of per-step means (paper A, most scripts), the `mean` over tokens, or
   * the mean over the batch at the `last` routed step alone (Table 1; targets and masks then have one column). Default
   * `mean`.
   */
  readonly time?: 'sum' | 'mean' | 'last'
  /** Reduction of the prediction loss, over all steps. Default: as `time`, `mean` for `last`. */
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

const lossSchema = v.strictObject({
  kind: v.picklist(['cross-entropy', 'mse']),
  on: v.optional(v.picklist(['logits', 'weights'])),
  time: v.optional(v.picklist(['sum', 'mean', 'last'])),
  predictionTime: v.optional(v.picklist(['sum', 'mean'])),
  predictionWeight: v.optional(nonNegative),
  lastStep: v.optional(v.picklist(['keep', 'drop'])),
})

/** Fills in a loss. @throws FEP_BAD_CONFIG */
export function resolveLoss(
  config: ResolvedGateConfig,
  loss: LossConfig | LossConfig['kind'] = 'cross-entropy',
): ResolvedLoss {
  const given = parse(lossSchema, typeof loss === 'string' ? { kind: loss } : loss, 'loss')
  const time = given.time ?? 'mean'
  const oracle = config.router === 'oracle'
  if (oracle && given.lastStep === 'keep')
    throw new FepError(
      'FEP_BAD_CONFIG',
      "loss.lastStep is 'keep'; an oracle has nothing to look at in the last step: 'drop'",
    )
  return {
    kind: given.kind,
    on: given.on ?? 'logits',
    time,
    predictionTime: given.predictionTime ?? (time === 'last' ? 'mean' : time),
    predictionWeight: given.predictionWeight ?? lossWeightOf(config),
    lastStep: given.lastStep ?? (oracle ? 'drop' : 'keep'),
  }
}

/** Weight of the prediction loss; 0 where no token is predicted. */
export function lossWeightOf({ anticipation }: ResolvedGateConfig): number {
  return predictsToken(anticipation) ? anticipation.lossWeight : 0
}

/** Steps that are routed in training. */
export const routedSteps = (steps: number, { lastStep }: ResolvedLoss): number =>
  lastStep === 'drop' ? Math.max(steps - 1, 0) : steps

/** Steps that are routed and scored: the columns of targets and masks. */
export const scoredSteps = (steps: number, loss: ResolvedLoss): number =>
  loss.time === 'last' ? Math.min(routedSteps(steps, loss), 1) : routedSteps(steps, loss)
