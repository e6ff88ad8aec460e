/**
 * Selection policies: Expert Threshold routing, token choice, expert choice and what they are compared with. A subpath of
 * its own, so that a page with a dense or a top-k gate does not load them.
 * @packageDocumentation
 */

export { type AdaptOptions, adapt, calibrate, starving, updateIdle, withCutoffs } from './adapt.js'
export { capacityOf } from './capacity.js'
export { carriedPolicy, frozenFeeds, policyStateFrom } from './carried.js'
export type * from './config.js'
export { cosineScores } from './cosine.js'
export type { Decision, PolicyOperands } from './decision.js'
export { hashTable } from './fixed.js'
export { createSparseGate, type SparseGate, type SparseRouteOptions, type SparseRouting } from './gate.js'
export { type SparseGraphOptions, type SparseLossOptions, sparseLossGraph } from './gate-graphs.js'
export { resolveSparseGate, type SparseGateConfig, type SparseGateModel } from './gate-model.js'
export type {
  SparseStepResult,
  SparseTrainer,
  SparseTrainerOptions,
  SparseTrainingBatch,
} from './gate-trainer.js'
export { type LoadBalanceOptions, loadBalanceLoss, routerZLoss } from './losses.js'
export { decide, type PolicyPromises, promisesOf, settle } from './policy.js'
export { POLICY_KINDS, resolvePolicy } from './resolve.js'
export { requireTokensPerExpert, targetShare, tokensPerExpert } from './share.js'
export {
  checkPolicyState,
  cutoffsOf,
  frozenStates,
  initialPolicyState,
  type PolicyState,
  type PolicyStateSpec,
  policyStates,
} from './state.js'
