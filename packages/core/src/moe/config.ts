/** A sparse mixture-of-experts layer as plain data. */
import * as v from 'valibot'
import { FepError, show } from '../errors.js'
import { requireDispatchable } from '../models/dispatch.js'
import type { PolicyConfig } from '../policies/config.js'
import { resolveSparseGate, type SparseGateConfig, type SparseGateModel } from '../policies/gate-model.js'
import { integerFrom, parse } from '../schema.js'
import { ACTIVATIONS, type Activation, type RowExperts } from './experts.js'

/** What an expert is: two linear layers with an activation between them, as wide as the layer at both ends. */
export interface LayerExpertConfig {
  /** Hidden units, >= 1. Default 4 · dim. */
  readonly width?: number
  /** Default `gelu`. `relu-squared` is max(0, z)² (paper B); `swiglu` is silu(W₁ x) ⊙ W₃ x, with a third matrix. */
  readonly activation?: Activation
  /** Both layers have a bias. Default false. */
  readonly bias?: boolean
}

/** An expert that runs on every token. */
export interface SharedExpertConfig {
  /** Hidden units, >= 1. Default: those of an expert. */
  readonly width?: number
  /** `policy`: weighed as the policy says (1 for most, the anchor or 1/G for softmax weights); `one`: 1. Default `policy`. */
  readonly weight?: 'policy' | 'one'
}

/** A gate with a policy, without the sizes that the layer gives it. */
export type LayerRouterConfig = Omit<SparseGateConfig, 'dim' | 'experts'>

/** A layer in which a token meets the experts that it was routed to, and no other. JSON in, JSON out. */
export interface MoeLayerConfig {
  /** Width of a token, >= 1. */
  readonly dim: number
  /** Number of experts, >= 1. */
  readonly experts: number
  /** The gate and its policy. */
  readonly router: LayerRouterConfig
  readonly expert?: LayerExpertConfig
  /** Default null: none. Policies that count a share of the tokens then leave one expert's worth of work to it. */
  readonly shared?: SharedExpertConfig | null
  /** Adds the token to what the experts made of it: a token that no expert takes passes unchanged. Default true. */
  readonly residual?: boolean
  /** Allows a gate that decides for the next token (direct anticipation, belief) to dispatch this one. Default false. */
  readonly dispatchAhead?: boolean
}

/** A layer with its defaults. */
export interface ResolvedMoeLayer extends SparseGateModel {
  readonly experts: RowExperts
  readonly shared: { readonly experts: RowExperts; readonly weight: 'policy' | 'one' } | null
  readonly residual: boolean
}

const schema = v.strictObject({
  dim: integerFrom(1),
  experts: integerFrom(1),
  router: v.looseObject({ select: v.looseObject({}) }),
  expert: v.optional(
    v.strictObject({
      width: v.optional(integerFrom(1)),
      activation: v.optional(v.picklist(ACTIVATIONS), 'gelu'),
      bias: v.optional(v.boolean(), false),
    }),
    {},
  ),
  shared: v.optional(
    v.nullable(
      v.strictObject({
        width: v.optional(integerFrom(1)),
        weight: v.optional(v.picklist(['policy', 'one']), 'policy'),
      }),
    ),
    null,
  ),
  residual: v.optional(v.boolean(), true),
  dispatchAhead: v.optional(v.boolean(), false),
})

/** Fills in a layer. @throws FEP_BAD_CONFIG naming the path of the field */
export function resolveMoeLayer(config: MoeLayerConfig): ResolvedMoeLayer {
  const {
    dim,
    experts: count,
    router,
    expert,
    shared,
    residual,
    dispatchAhead,
  } = parse(schema, config, 'layer')
  const given = router as unknown as LayerRouterConfig
  const select = withSharedExpert(given.select, shared !== null)
  const model = resolveSparseGate({ ...given, select, dim, experts: count })
  requireDispatchable(model.gate, dispatchAhead, 'layer')
  const { width = 4 * dim, activation, bias } = expert
  const experts: RowExperts = { dim, count, width, activation, bias }
  return {
    ...model,
    experts,
    shared: shared && {
      experts: { ...experts, count: 1, width: shared.width ?? width },
      weight: shared.weight,
    },
    residual,
  }
}

/** Experts that choose by a share of the tokens count the shared one, where there is one. */
function withSharedExpert(select: PolicyConfig, shared: boolean): PolicyConfig {
  if (select.kind !== 'threshold' && select.kind !== 'expert-choice') return select
  if (select.sharedExpert && !shared)
    throw new FepError(
      'FEP_BAD_CONFIG',
      `layer.router.select.sharedExpert is ${show(select.sharedExpert)}, but layer.shared is null; accepted: false, or a shared expert`,
    )
  return { ...select, sharedExpert: select.sharedExpert ?? shared }
}
