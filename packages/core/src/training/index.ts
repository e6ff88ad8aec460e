/**
 * The subpath `@fep-moe/core/training`: training graphs, for those who build their own. Trainers load this code on demand;
 * as exports of the main entry it would come with every gate.
 * @packageDocumentation
 */
export { type LossOptions, lossGraph } from '../gates/loss.js'
export {
  type LossConfig,
  type ResolvedLoss,
  resolveLoss,
  routedSteps,
  scoredSteps,
} from '../gates/loss-config.js'
export { applyOptimizer, stateName } from '../optim/apply-optimizer.js'
export { type PackedSlot, packedSlots, packInputs } from '../optim/pack.js'
