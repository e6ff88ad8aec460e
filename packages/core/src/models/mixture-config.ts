/** A dense mixture layer, as plain data. */
import * as v from 'valibot'
import type { ResolvedGateConfig } from '../gates/config.js'
import { integerFrom, parse } from '../schema.js'
import { type RouterConfig, resolveRouter } from './dispatch.js'
import { type ExpertConfig, type Experts, expertEntries } from './experts.js'

/** y = Σ_e g_e (expert_e(x) + noise_e), paper A, Tables 2 and 3 (`precision_gating`). Every expert sees every token. */
export interface MixtureConfig {
  /** Width of a token, >= 1. */
  readonly dim: number
  /** Number of experts, >= 1. */
  readonly experts: number
  /** The gate. Default: softmax(W x + b). */
  readonly router?: RouterConfig
  /** Default: width 4 · dim, outputs dim, `relu`. */
  readonly expert?: ExpertConfig
  /** Allows a gate that decides for the next token (direct anticipation) to dispatch this one. Default false. */
  readonly dispatchAhead?: boolean
}

/** A mixture with its defaults. */
export interface ResolvedMixture {
  readonly gate: ResolvedGateConfig
  readonly experts: Experts
}

const schema = v.strictObject({
  dim: integerFrom(1),
  experts: integerFrom(1),
  router: v.optional(v.looseObject({})),
  expert: v.optional(v.strictObject(expertEntries)),
  dispatchAhead: v.optional(v.boolean()),
})

/** Fills in a mixture. @throws FEP_BAD_CONFIG naming the path of the field */
export function resolveMixture(config: MixtureConfig): ResolvedMixture {
  const {
    dim,
    experts: count,
    router = {},
    expert = {},
    dispatchAhead = false,
  } = parse(schema, config, 'mixture')
  return {
    gate: resolveRouter(router as RouterConfig, { dim, experts: count }, dispatchAhead, 'mixture'),
    experts: {
      inputs: dim,
      count,
      width: expert.width ?? 4 * dim,
      outputs: expert.outputs ?? dim,
      activation: expert.activation ?? 'relu',
      path: 'net.',
    },
  }
}
