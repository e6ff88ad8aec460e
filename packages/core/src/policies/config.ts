/**
 * Selection policies as plain data: what turns logits into experts per token. Paper B is "Expert Threshold routing"
 * (arXiv 2603.11535). N tokens, E experts, G granularity (dense hidden width over expert hidden width), X expansion.
 */

/** Share of the tokens that is meant for each expert: 1/X, or (G − 1)/(G X) beside a shared expert. */
export interface ShareConfig {
  /** G, an integer >= 1; beside a shared expert >= 2. Default 2 (paper B). */
  readonly granularity?: number
  /** X, an integer >= 1. Default experts / granularity (paper B: 16 experts, X = 8). */
  readonly expansion?: number
  /** One expert of the layer runs on every token, at the cost of one of the G that a token pays for. Default false. */
  readonly sharedExpert?: boolean
}

/**
 * Weight of a selected expert, and of the shared one (paper B). `sigmoid` σ(z) and `relu` max(z, 0): shared weight 1.
 * `softmax-tokens`: softmax over the tokens of the batch, so it neither streams nor is independent of the batch.
 * `softmax-experts`: softmax over [0, z]; the first entry, the anchor, is the shared weight. `softmax-experts-shared-out`:
 * the same, shared weight 1/G.
 */
export type ThresholdWeights =
  | 'sigmoid'
  | 'relu'
  | 'softmax-tokens'
  | 'softmax-experts'
  | 'softmax-experts-shared-out'

/** Fields of policies whose experts choose by score among many tokens. */
interface ChosenByExperts extends ShareConfig {
  /** Default `sigmoid`. */
  readonly weights?: ThresholdWeights
  /** Divide weights by the number of experts that took the token. A failed attempt of paper B. Default false. */
  readonly divideByFanout?: boolean
  /** Decay of the average of cutoffs per optimizer step, in [0, 1). Default 0.999 (the paper; its code has 0.99). */
  readonly decay?: number
  /** Optimizer steps before the first one that is averaged, >= 0. Default 0. */
  readonly averageFrom?: number
}

/**
 * Expert Threshold: expert i takes a token when z_i ≥ c_i, c_i being the bias-corrected average of the k-th largest logit
 * of a training batch, k = ⌊N · share⌋. A token may get no expert, or all. Causal, independent of the batch.
 */
export interface ThresholdConfig extends ChosenByExperts {
  readonly kind: 'threshold'
  /** Default `>=` (the paper's code). */
  readonly comparison?: '>=' | '>'
  /** Optimizer steps of expert choice before thresholds decide, >= 0. Default 0 (the paper trains 4000). */
  readonly warmUp?: number
  /**
   * C >= 0: in training an expert takes at least ⌊k(1 − C)⌋ and at most ⌊k(1 + C)⌋ tokens, the best it can get. null: as
   * many as pass. Default 0.5.
   */
  readonly capacity?: number | null
  /**
   * After this many updates without a token, an expert's cutoff is lowered to what would have given it its share of the
   * last update; an integer >= 1. null: never. Default null.
   */
  readonly reviveAfter?: number | null
}

/** Expert choice: each expert takes the k = ⌊N · share⌋ tokens with its largest logits. Looks at later tokens. */
export interface ExpertChoiceConfig extends ChosenByExperts {
  readonly kind: 'expert-choice'
  /** Sequences that are chosen from at a time, >= 1, a divisor of the batch; null: the whole batch. Default null. */
  readonly pool?: number | null
}

/**
 * Thresholds on cosines between tokens and prototypes N(0, 1) (the paper's agent skill): route where s > c, c averaged
 * towards mean − std of the batch's scores. That is about the 16th percentile, not the median that the skill says: at its
 * fixed point an expert takes some 84 % of the tokens.
 */
export interface CosineThresholdConfig {
  readonly kind: 'cosine-threshold'
  /** Default `>`. */
  readonly comparison?: '>=' | '>'
  /** In [0, 1). Default 0.999. */
  readonly decay?: number
  /** `sigmoid`: σ(s), which trains the prototypes. `binary`: 1, the skill's form, which does not. Default `sigmoid`. */
  readonly weights?: 'sigmoid' | 'binary'
  /** As for `threshold`. Default null. */
  readonly reviveAfter?: number | null
}

/** How many tokens an expert may take in training, and which ones it drops. */
export interface CapacityConfig {
  /** An expert takes at most ⌈factor · k N / E⌉ tokens; > 0. */
  readonly factor: number
  /** But never fewer than this; an integer >= 1. Default 1. */
  readonly minimum?: number
  /** Which stay: those with the largest scores (a softmax over all experts), or the first by (sequence, time). Default `score`. */
  readonly keep?: 'score' | 'position'
}

/** Token choice: each token takes its k best experts. */
export interface TokenChoiceConfig {
  readonly kind: 'token-choice'
  /** Experts per token, 1..experts. Equal scores: the lower index wins. */
  readonly k: number
  /** Scores that become weights. Default `softmax`. */
  readonly weights?: 'softmax' | 'sigmoid' | 'relu'
  /** Weights of the selected sum to 1; for `softmax` that is the softmax after selecting. Default: only for `softmax`. */
  readonly normalize?: boolean
  /** Softmax over [0, z]: the anchor that paper B's code has where there is no shared expert. Default false. */
  readonly anchor?: boolean
  /** Weights are multiplied by it, > 0. Default 1. */
  readonly scale?: number
  /**
   * Noisy top-k, in training: logits plus `std` times a normal number that is fed, or, `learned`, softplus(W_noise x)
   * times it (Shazeer et al. 2017). Default none.
   */
  readonly noise?: { readonly kind: 'normal'; readonly std?: number } | { readonly kind: 'learned' } | null
  /** Coefficient of the load-balance loss of Switch Transformer, >= 0. Default 0 (paper B: 0.001). */
  readonly balance?: number
  /** `product`: E Σ f p; `error`: Σ (E f − 1) p. Default `product`. */
  readonly balanceForm?: 'product' | 'error'
  /** Coefficient of the router z-loss, the mean of (log Σ eᶻ)², >= 0. Default 0. */
  readonly zLoss?: number
  /** Step of the loss-free bias (DeepSeek-V3), which selects but does not weigh, >= 0. Default 0 (paper B: 0.005). */
  readonly biasRate?: number
  /** What the bias is added to: the logits (paper B), or the scores that become weights (DeepSeek-V3). Default `logits`. */
  readonly biasOn?: 'logits' | 'scores'
  /** Default null: dropless. */
  readonly capacity?: CapacityConfig | null
}

/** k experts at random: a floor for comparisons. Uniform numbers (B,T,E) are fed; weights are 1/k. */
export interface RandomConfig {
  readonly kind: 'random'
  readonly k: number
}

/** k experts by the token's identity, through a fixed balanced table (Hash Layers); ids (B,T) are fed; weights are 1/k. */
export interface HashConfig {
  readonly kind: 'hash'
  readonly k: number
  /** Number of token ids, >= 1. */
  readonly vocabulary: number
  /** Seed of the table. Default 0. */
  readonly seed?: number
}

/** A selection policy. JSON in, JSON out. */
export type PolicyConfig =
  | ThresholdConfig
  | ExpertChoiceConfig
  | CosineThresholdConfig
  | TokenChoiceConfig
  | RandomConfig
  | HashConfig

/** A share with its defaults. */
export type ResolvedShare = Required<ShareConfig>

/** A policy with every default filled in, and the number of experts. */
export type ResolvedPolicy = { readonly experts: number } & (
  | Required<ThresholdConfig>
  | Required<ExpertChoiceConfig>
  | Required<CosineThresholdConfig>
  | (Required<Omit<TokenChoiceConfig, 'capacity' | 'noise'>> & {
      readonly capacity: Required<CapacityConfig> | null
      readonly noise: { readonly kind: 'normal'; readonly std: number } | { readonly kind: 'learned' } | null
    })
  | RandomConfig
  | Required<HashConfig>
)

/** A policy of one kind. */
export type PolicyOf<K extends ResolvedPolicy['kind']> = Extract<ResolvedPolicy, { readonly kind: K }>
