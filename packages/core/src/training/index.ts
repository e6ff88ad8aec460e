/**
/**
 * The subpath `@fep-moe/core/training`: training graphs, and the loop behind every trainer, for models of your own (anything
 * that has a loss graph). Trainers load this code on demand; as exports of the main entry it would come with every gate.
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
export type { CarriedState } from './graphs.js'
export type { TrainerState } from './state.js'
export type { HeldResults, LossResult } from './step-result.js'
export {
  type LossForm,
  type OpenTrainer,
  type OptimizationOptions,
  openTrainer,
  type TrainingLoop,
  type TrainingSubject,
} from './trainer.js'
