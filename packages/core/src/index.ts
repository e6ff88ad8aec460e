/**
 * fep-moe core: graphs, operators, autodiff, optimizers, gates and the reference interpreter. No backend in sight.
 * @packageDocumentation
 */

export * from './autodiff/differentiate.js'
export * from './autodiff/gradients.js'
export type * from './backend/contract.js'
export { defineBackend } from './backend/define-backend.js'
export * from './backend/host-tensor.js'
export * from './backend/tiered.js'
export * from './errors.js'
export type * from './gates/config.js'
export type { Layout } from './gates/feeds.js'
export {
  createGate,
  type Gate,
  type Horizon,
  type RouteOptions,
  type RouteResult,
  type Routing,
  type RoutingOf,
} from './gates/gate.js'
export type { LossOptions } from './gates/loss.js'
export type { LossConfig, ResolvedLoss } from './gates/loss-config.js'
export { loadMechanisms } from './gates/on-demand.js'
export * from './gates/parameters.js'
export {
  missRates,
  type PrecisionState,
  type PrecisionTracker,
  type PrecisionTrackerOptions,
  precisionTracker,
} from './gates/precision.js'
export * from './gates/presets.js'
export { resolveGateConfig } from './gates/resolve-config.js'
export { NO_CONTENDER } from './gates/select.js'
export { type SequenceOptions, sequenceGraph } from './gates/sequence.js'
export { gateStates, type StateSpec } from './gates/state.js'
export type { GateState } from './gates/state-feeds.js'
export type { GateStream, StepOptions } from './gates/stream.js'
export type {
  BatchForm,
  StepResult,
  Trainer,
  TrainerOptions,
  TrainingBatch,
} from './gates/trainer.js'
export type { Differentiable, GateVjp, VjpOptions } from './gates/vjp.js'
export * from './graph/builder.js'
export * from './graph/cost.js'
/** The language of graphs: one function per operator. */
export * as ops from './graph/expressions.js'
export * from './graph/print.js'
export * from './graph/shape.js'
export type * from './graph/types.js'
export * from './graph/verify.js'
export * from './losses/losses.js'
export * from './metrics/metrics.js'
export type { RouterConfig } from './models/dispatch.js'
export type { ExpertConfig, Experts } from './models/experts.js'
export {
  createLanguageModel,
  type LanguageModel,
  type LanguageModelBatch,
  type LanguageModelBatchForm,
  type LanguageModelLosses,
  type LanguageModelOptions,
  type LanguageModelResult,
  type LanguageModelStep,
  type LanguageModelTrainer,
} from './models/language-model.js'
export type { LanguageModelConfig, ResolvedLanguageModel } from './models/language-model-config.js'
export type { LanguageModelForm, LanguageModelLoss } from './models/language-model-graph.js'
export {
  createMixture,
  type Mixture,
  type MixtureBatch,
  type MixtureOptions,
  type MixtureResult,
  type MixtureStep,
} from './models/mixture.js'
export type { MixtureConfig } from './models/mixture-config.js'
export type { MixtureForm } from './models/mixture-graph.js'
export type * from './ops/attrs.js'
export type * from './ops/definition.js'
export { erf, erfc } from './ops/erf.js'
export { composites, isComposite, primitives } from './ops/table.js'
export * from './optim/clip.js'
export * from './optim/optimizers.js'
export type { PackedSlot } from './optim/pack.js'
export * from './optim/schedules.js'
export * from './passes/bind-batch.js'
export * from './passes/bind-inputs.js'
export * from './passes/common-subexpressions.js'
export * from './passes/dead-code.js'
export * from './passes/expand-composites.js'
export * from './passes/fold-constants.js'
export * from './passes/narrow-products.js'
export * from './passes/optimize.js'
export * from './random/index.js'
export * from './reference/backend.js'
export * from './reference/interpreter.js'
/** Validation with this project's errors, for packages that take configurations of their own. */
export * as schemas from './schema.js'
export * from './tensor.js'
export type { TrainerState } from './training/state.js'
export type { LossResult } from './training/step-result.js'
export type { OptimizationOptions, TrainingLoop } from './training/trainer.js'
