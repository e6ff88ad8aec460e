/**
 * What a gate is, as plain data. Every field has a default and a range; `resolveGateConfig` checks them all.
 * Sections refer to paper A ("Affinity Is Not Enough", arXiv 2605.00604).
 */

/** What a gate remembers of the tokens before. State starts at 0 for every sequence. */
export type MemoryConfig = LeakyConfig | MembraneConfig | ProbabilityMemoryConfig | MeanConfig

/** Temporal memory β (§3.1): h_t = β ⊙ h_{t−1} + x_t per dimension, h_{−1} = 0; z = W h + b. */
export type LeakyConfig =
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
      /** Time constant in steps, > 0: β = exp(−1/τ). In 0.0115..1.6e7 where it is learned: float32 tells that β from 0 and 1. */
      readonly tau: number | readonly number[]
      /** Default false. */
      readonly learned?: boolean
    }

/**
 * Membrane per expert (Table 1, `beta_routing`): U_t = β U_{t−1} + W x_t + b, an integrator of logits. The logits of a
 * step are U_t; an expert spikes where U_t > θ, before the soft cap and before any reset.
 *
 * `h = βh + x` of `leaky` is what snnTorch calls `Leaky(reset_mechanism='none')`. The soft cap equals none of snnTorch's
 * resets: it acts in the step of the crossing and takes away exactly what is above θ.
 */
export interface MembraneConfig {
  readonly kind: 'membrane'
  /** Decay per step, one number or one per expert, each in (0, 1). Default 0.9. */
  readonly beta?: number | readonly number[]
  /** Time constant in steps, > 0, instead of `beta`: β = exp(−1/τ). In 0.0115..1.6e7 where it is learned. */
  readonly tau?: number | readonly number[]
  /** Train `beta_raw` (E), β = σ(beta_raw). Default true with `beta`, false with `tau`. */
  readonly learned?: boolean
  /** θ > 0. Default 1. */
  readonly threshold?: number
  /**
   * `soft-cap`: U −= relu(U − θ), in the same step, with gradient (the paper's code). `subtract`: θ is taken from the
   * next step where this one spiked; `zero`: the next step starts from 0 there. Both as snnTorch's `Leaky` does it, the
   * reset without gradient. `none`. Default `soft-cap`.
   */
  readonly reset?: 'soft-cap' | 'subtract' | 'zero' | 'none'
  /** What becomes the logits: U, or the spikes as 0 and 1, through which a surrogate gradient flows. Default `membrane`. */
  readonly output?: 'membrane' | 'spike'
  /**
   * Derivative that stands in for that of a spike, with u = U − θ and slope a. `atan`: (a/2) / (1 + (π a u / 2)²);
   * `fast-sigmoid`: 1 / (1 + a |u|)² (snnTorch's two). Default `atan`.
   */
  readonly surrogate?: 'atan' | 'fast-sigmoid'
  /** a > 0. Default 2 (`atan`) or 25 (`fast-sigmoid`). */
  readonly slope?: number
}

/**
 * Memory over probabilities, the τ form: s_t = e^{−1/τ} s_{t−1} + softmax(z_t); the logits are z_t (weighted by Π where
 * there is one) + s_t. It pulls towards experts that were probable before, whatever came of them.
 */
export interface ProbabilityMemoryConfig {
  readonly kind: 'probability'
  /** Time constant in steps, > 0. Default 2. */
  readonly tau?: number
  /** No gradient through s_{t−1}: what a step learns ends with the step. Default false. */
  readonly detach?: boolean
}

/** Mean pooling (Table 1), made causal: z = W · (mean of the tokens so far) + b; the last step's is the mean of all. */
export interface MeanConfig {
  readonly kind: 'mean'
}

/** Precision Π (§3.2): one positive weight per expert, the inverse of its tracked error variance. */
export interface PrecisionConfig {
  /** `gain`: z · Π, after the bias, as the paper's code has it (a negative logit is pushed down). `evidence`: z + log Π. */
  readonly kind: 'gain' | 'evidence'
  /**
   * Whose Π it is. `shared`: one per expert, the feed is (E). `sequence`: every sequence has its own, which may change at
   * every token: the feed is (B,T,E), in a stream (B,E). `tracked`: every sequence has its own, which the gate tracks as
   * part of the sequence's state from the errors it is fed (`feedback`). Default `shared`.
   */
  readonly scope?: 'shared' | 'sequence' | 'tracked'
  /** `tracked` only: train the momentum and an exponent κ > 0 of Π (Π^κ, κ = 1 at the start). Default false. */
  readonly learned?: boolean
  /** EMA factor of the error variance, in [0, 1). Default 0.95 (gain) or 0.9 (evidence). */
  readonly momentum?: number
  /** Added to the variance, > 0. Default 1e-4 (gain) or 1e-8 (evidence). */
  readonly epsilon?: number
  /** Variance before any error was seen, > 0. Default 1. */
  readonly initialVariance?: number
}

/** Anticipation (§3.3). */
export type AnticipationConfig = PredictionConfig | LogitsConfig | DistributionConfig

/** A predictor x̂_t = f([x_t, h_t]) of the next token, trained with a mean squared error. */
export interface PredictionConfig {
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

/**
 * A predictor that skips the token: z = f([x_t, h_t]), a decision for the next token, from 2d to `width` units to the
 * experts. No router W, no x̂ and no prediction loss; d · width multiplications instead of d².
 */
export interface LogitsConfig {
  readonly kind: 'logits'
  /** Hidden units per layer, >= 1. Default 4 · dim. */
  readonly width?: number
  /** Hidden layers, >= 1. Default 1. */
  readonly depth?: number
  /** Default `relu`. */
  readonly activation?: 'relu' | 'gelu'
  /** As for the predictor. Default null. */
  readonly rank?: number | null
}

/**
 * An anticipated distribution that is added (the SKILL form): a_0 = x_0, a_t = m a_{t−1} + (1 − m) x_t, without gradient;
 * r_t = softmax(f(a_t)), and routing is on the mean of the gate's own distribution and r_t. The logits returned are the
 * logarithm of that mean. (The SKILL adds the two and so returns twice these weights; `select.scale: 2` gives its numbers.)
 */
export interface DistributionConfig {
  readonly kind: 'distribution'
  /** m, in [0, 1). Default 0.9. */
  readonly momentum?: number
  /** Hidden units per layer, >= 1. Default 4 · dim. */
  readonly width?: number
  /** Hidden layers, >= 1. Default 1. */
  readonly depth?: number
  /** Default `relu`. */
  readonly activation?: 'relu' | 'gelu'
  /** As for the predictor. Default null. */
  readonly rank?: number | null
}

/**
 * A learned Bayes filter (docs/mechanisms/belief.md): a belief over S latent states and M phases of each. Per token it is
 * weighted by the evidence of the token, normalized, and carried one step on: the phase advances, or the state is left
 * with a learned hazard for another one by learned transitions. What it expects is read out to the experts by a learned
 * map. It is memory and anticipation in one, so a gate has it instead of those.
 */
export interface BeliefConfig {
  /** Kinds of state, >= 1. Default: the number of experts. */
  readonly states?: number
  /**
   * Copies of each, >= 1, which start with the same evidence; S = states * copies. With two, what a switch leads to can differ in
   * its duration and its successors from what a sequence begins with, though tokens look alike. Default 1.
   */
  readonly copies?: number
  /** M, >= 1: phases of a state. Default 16. */
  readonly phases?: number
  /**
   * `chain`: phase a is the a-th step in a state, the last one and all after: a learned histogram of durations. `phase-type`:
   * a phase may also stay, with learned probability, so that few phases serve long durations. Default `chain`.
   */
  readonly duration?: 'chain' | 'phase-type'
  /** Hidden units (ReLU) of the network that gives a token's evidence; null: the evidence is W x + b. Default null. */
  readonly width?: number | null
  /** Hazards also depend on so many of the latest tokens, by a linear function of each. Default 0. */
  readonly cues?: number
  /**
   * 1: route on what the filter expects of the next token, as `next`. 0: route on what it believes of the token just given;
   * `next` is then the expectation. Default 1.
   */
  readonly horizon?: 0 | 1
  /**
   * What hazards, transitions, prior and read-out are multiplied by before they become probabilities, > 0: their step size
   * relative to that of the evidence. Default 4.
   */
  readonly gain?: number
}

/**
 * What tells the time since a sequence began: leaky integrators of a constant current, c_n = 4 (1 − βⁿ), and damped
 * resonators, ρⁿ cos ωn and ρⁿ sin ωn, where n is the number of tokens so far. All constants are learned. The predictor
 * sees them beside x and h.
 */
export interface ClockConfig {
  /** Leaky integrators, >= 0. Default 4, or 0 where there are resonators. */
  readonly integrators?: number
  /** Resonators, two numbers each, >= 0. Default 0. */
  readonly resonators?: number
  /** The router sees them too: z + W_clock c. Default false; true where nothing anticipates. */
  readonly affinity?: boolean
  /**
   * A surprising token sets clock and memory back, by a learned gate on the precision-weighted error of (1 − β) h as a
   * prediction of x. Needs `memory.kind: 'leaky'`. Default false.
   */
  readonly surpriseReset?: boolean
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
      /** Routed scaling factor: weights are multiplied by it, > 0. Default 1. */
      readonly scale?: number
    }
  | {
      /**
       * The experts whose membrane crossed θ at this step (`memory.kind: 'membrane'` only). A token may get none: its
       * weights are 0 and its indices −1. The margin is the distance of the membrane nearest to θ.
       */
      readonly kind: 'spike'
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
  /** With `memory` absent or `leaky`, and a predictor or none. */
  readonly clock?: ClockConfig
  /** Instead of memory, anticipation and clock. */
  readonly belief?: BeliefConfig
}

/** The oracle router: routes on the next token itself. A ceiling for experiments; it cannot stream. */
export interface OracleGateConfig extends GateShape {
  readonly router: 'oracle'
  readonly memory?: never
  readonly anticipation?: never
  readonly clock?: never
  readonly belief?: never
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
      : K extends 'belief' | 'clock'
        ? { readonly [P in keyof C[K]]: P extends KeyOf<FieldOf<K>> ? C[K][P] : never }
        : C[K]
    : never
}

/** A configuration with every default filled in; null where a mechanism is absent. */
export interface ResolvedGateConfig {
  readonly dim: number
  readonly experts: number
  readonly bias: boolean
  readonly router: 'gate' | 'oracle'
  readonly memory:
    | { readonly kind: 'leaky'; readonly beta: readonly number[]; readonly learned: boolean }
    | ({ readonly kind: 'membrane'; readonly beta: readonly number[] } & Required<
        Omit<MembraneConfig, 'kind' | 'beta' | 'tau'>
      >)
    | { readonly kind: 'probability'; readonly leak: number; readonly detach: boolean }
    | MeanConfig
    | null
  readonly precision: Required<PrecisionConfig> | null
  readonly anticipation:
    | Required<PredictionConfig>
    | Required<LogitsConfig>
    | Required<DistributionConfig>
    | null
  readonly clock: Required<ClockConfig> | null
  readonly belief: Required<BeliefConfig> | null
  readonly select:
    | { readonly kind: 'dense' }
    | {
        readonly kind: 'top-k'
        readonly k: number
        readonly softmax: 'before' | 'after'
        readonly scale: number
      }
    | { readonly kind: 'spike'; readonly softmax: 'before' | 'after' }
}
