/**
 * A sparse mixture-of-experts layer around a gate with a policy. A subpath of its own, so that a page with a gate alone does
 * not load it.
 * @packageDocumentation
 */

export type {
  LayerExpertConfig,
  LayerRouterConfig,
  MoeLayerConfig,
  ResolvedMoeLayer,
  SharedExpertConfig,
} from './config.js'
export { resolveMoeLayer } from './config.js'
export type { Activation, RowExperts } from './experts.js'
export { ACTIVATIONS } from './experts.js'
export type { MoeLayerInputs } from './feeds.js'
export { type MoeLayerForm, moeLayerGraph, moeLayerParams } from './graph.js'
export {
  createMoeLayer,
  type MoeLayer,
  type MoeLayerDetails,
  type MoeLayerResult,
  type OpenMoeLayer,
} from './layer.js'
export { type LayerSize, PAPER_B_INIT, paperBLayer } from './presets.js'
export { type RowBound, rowBound, rungFor } from './rows.js'
export type { MoeLayerBatch, MoeLayerStep, MoeLayerTrainer, MoeLayerTrainerOptions } from './trainer.js'
