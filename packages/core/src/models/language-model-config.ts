/** A small language model with a mixture layer, as plain data. */
import * as v from 'valibot'
import type { ResolvedGateConfig } from '../gates/config.js'
import { integerFrom, parse, positive } from '../schema.js'
import { type RouterConfig, resolveRouter } from './dispatch.js'
import { type Experts, expertEntries } from './experts.js'

/**
 * Embedding e, gate on e, dense experts on e, logits = head(LayerNorm(e + Σ_i g_i expert_i(e))): `lm_experiment`, paper A
 * §3.5 and Table 6. One layer, no attention: what a token's neighbors say reaches it only through the gate.
 */
export interface LanguageModelConfig {
  /** Number of different tokens, >= 1. */
  readonly vocabulary: number
  /** Width of an embedding, >= 1. */
  readonly dim: number
  /** Number of experts, >= 1. */
  readonly experts: number
  /** The gate. Default: softmax(W e + b), the paper's `standard`. */
  readonly router?: RouterConfig
  /** Default: width 4 · dim, `gelu`. */
  readonly expert?: { readonly width?: number; readonly activation?: 'relu' | 'gelu' }
  /** Added to the variance in LayerNorm, > 0. Default 1e-5. */
  readonly epsilon?: number
  /**
   * `plain`: layer after layer on every token. `tables`: experts see nothing but the embedding, so they are computed once
   * per entry of the vocabulary; what follows is linear in the weights up to one normalizer, whose square is a quadratic
   * form of them, so logits come from tables too. So does what the gate's first layers make of a token, where that saves
   * products. The same numbers up to rounding, cheaper by far where the vocabulary is smaller than a batch has tokens.
   * Default `plain`.
   */
  readonly form?: 'plain' | 'tables'
  /** Allows a gate that decides for the next token (direct anticipation) to dispatch this one. Default false. */
  readonly dispatchAhead?: boolean
}

/** A language model with its defaults. */
export interface ResolvedLanguageModel {
  readonly vocabulary: number
  readonly gate: ResolvedGateConfig
  readonly experts: Experts
  readonly epsilon: number
  readonly form: 'plain' | 'tables'
}

const { width, activation } = expertEntries
const schema = v.strictObject({
  vocabulary: integerFrom(1),
  dim: integerFrom(1),
  experts: integerFrom(1),
  router: v.optional(v.looseObject({})),
  expert: v.optional(v.strictObject({ width, activation })),
  epsilon: v.optional(positive),
  form: v.optional(v.picklist(['plain', 'tables'])),
  dispatchAhead: v.optional(v.boolean()),
})

/** Fills in a language model. @throws FEP_BAD_CONFIG naming the path of the field */
export function resolveLanguageModel(config: LanguageModelConfig): ResolvedLanguageModel {
  const c = parse(schema, config, 'languageModel')
  const { vocabulary, dim, experts: count, expert = {}, dispatchAhead = false } = c
  const router = (c.router ?? {}) as RouterConfig
  return {
    vocabulary,
    gate: resolveRouter(router, { dim, experts: count }, dispatchAhead, 'languageModel'),
    experts: {
      inputs: dim,
      count,
      width: expert.width ?? 4 * dim,
      outputs: dim,
      activation: expert.activation ?? 'gelu',
      path: '',
    },
    epsilon: c.epsilon ?? 1e-5,
    form: c.form ?? 'plain',
  }
}
