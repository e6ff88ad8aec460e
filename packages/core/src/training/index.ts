/**
 * The loop behind every trainer, for models of your own: anything that has a loss graph. A subpath of its own, because
 * gates and models bring their trainers with them.
 * @packageDocumentation
 */

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
