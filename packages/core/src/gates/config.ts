/**
 * What a gate is, as plain data. Every field has a default and a range; `resolveGateConfig` checks them all.
 * Sections refer to paper A ("Affinity Is Not Enough", arXiv 2605.00604).
 */

/** Temporal memory β (§3.1): h_t = β ⊙ h_{t−1} + x_t per dimension, h_{−1} = 0. */
export type MemoryConfig =
  | {
      readonly kind: 'leaky'
      /** Decay per step, one number or one per dimension, each in (0, 1). Default 0.9. */
      readonly beta?: number | readonly number[]
      readonly tau?: never
      /** Train `beta_raw` (β = σ(beta_raw)). Default true. */
      readonly learned?: boolean
    }
  | {
      readonly kind: 'leaky'
      readonly beta?: never
      /** Time constant in steps, > 0: β = exp(−1/τ). */
      readonly tau: number | readonly number[]
      /** Default false. */
      readonly learned?: boolean
    }

/** Precision Π (§3.2): one positive weight per expert, the inverse of its tracked error variance. */
export interface PrecisionConfig {
  /** `gain`: z · Π, after the bias, as the paper's code has it (a negative logit is pushed down). `evidence`: z + log Π. */
  readonly kind: 'gain' | 'evidence'
  /** EMA factor of the error variance, in [0, 1). Default 0.95 (gain) or 0.9 (evidence). */
  readonly momentum?: number
  /** Added to the variance, > 0. Default 1e-4 (gain) or 1e-8 (evidence). */
  readonly epsilon?: number
  /** Variance before any error was seen, > 0. Default 1. */
  readonly initialVariance?: number
}

/** Anticipation (§3.3): a predictor x̂_t = f([x_t, h_t]) of the next token, trained with a mean squared error. */
export interface AnticipationConfig {
  /** `direct`: z = W x̂ + b, a decision for the next token. `additive`: z = W h + b + W_pred x̂, for this one. */
  readonly kind: 'direct' | 'additive'
  /** Hidden units per layer, >= 1. Default 4 · dim. */
  readonly width?: number
  /** Hidden layers, >= 1. Default 1. */
  readonly depth?: number
  /** Default `relu` (direct) or `gelu`, exact (additive). */
  readonly activation?: 'relu' | 'gelu'
  /** Inner width of a low-rank factorization of each predictor layer, >= 1; null: full rank. Default null. */
  readonly rank?: number | null
  /** Weight of the prediction loss beside the routing loss, >= 0. Default 0.5. */
  readonly lossWeight?: number
}

/** How logits become weights. */
export type SelectConfig =
  | { readonly kind: 'dense' }
  | {
      readonly kind: 'top-k'
      /** Experts per token, 1..experts. Equal scores: the lower index wins, on every backend. */
      readonly k: number
      /** Softmax over all experts and then select, or over the selected ones. Default `after`. */
      readonly softmax?: 'before' | 'after'
    }

interface GateShape {
  /** Width of a token, >= 1. */
  readonly dim: number
  /** Number of experts, >= 1. */
  readonly experts: number
  /** Bias of the router. Default true. */
  readonly bias?: boolean
  /** Default: dense softmax. */
  readonly select?: SelectConfig
  /** Default: none. */
  readonly precision?: PrecisionConfig
}

/** A gate composed of mechanisms; each is optional. */
export interface ComposedGateConfig extends GateShape {
  readonly router?: 'gate'
  readonly memory?: MemoryConfig
  readonly anticipation?: AnticipationConfig
}

/** The oracle router: routes on the next token itself. A ceiling for experiments; it cannot stream. */
export interface OracleGateConfig extends GateShape {
  readonly router: 'oracle'
  readonly memory?: never
  readonly anticipation?: never
}

/** Configuration of a gate. JSON in, JSON out. */
export type GateConfig = ComposedGateConfig | OracleGateConfig

/** Keys of any member of a union. */
export type KeyOf<T> = T extends unknown ? keyof T : never
type FieldOf<K> = K extends keyof ComposedGateConfig ? NonNullable<ComposedGateConfig[K]> : unknown
type Variant<Field, Kind> = [Extract<Field, { readonly kind: Kind }>] extends [never]
  ? Field
  : Extract<Field, { readonly kind: Kind }>

/**
 * The fields of a literal configuration, `never` where there is no such field: a generic parameter would otherwise take
 * a misspelled name without complaint.
 */
export type NoUnknownFields<C> = {
  readonly [K in keyof C]: K extends KeyOf<GateConfig>
    ? C[K] extends { readonly kind: infer Kind }
      ? { readonly [P in keyof C[K]]: P extends KeyOf<Variant<FieldOf<K>, Kind>> ? C[K][P] : never }
      : C[K]
    : never
}

/** A configuration with every default filled in; null where a mechanism is absent. */
export interface ResolvedGateConfig {
  readonly dim: number
  readonly experts: number
  readonly bias: boolean
  readonly router: 'gate' | 'oracle'
  readonly memory: {
    readonly kind: 'leaky'
    readonly beta: readonly number[]
    readonly learned: boolean
  } | null
  readonly precision: {
    readonly kind: 'gain' | 'evidence'
    readonly momentum: number
    readonly epsilon: number
    readonly initialVariance: number
  } | null
  readonly anticipation: {
    readonly kind: 'direct' | 'additive'
    readonly width: number
    readonly depth: number
    readonly activation: 'relu' | 'gelu'
    readonly rank: number | null
    readonly lossWeight: number
  } | null
  readonly select:
    | { readonly kind: 'dense' }
    | { readonly kind: 'top-k'; readonly k: number; readonly softmax: 'before' | 'after' }
}
