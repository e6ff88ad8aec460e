/** Layers under the paper's name. */
import type { InitScheme } from '../gates/parameters.js'
import type { PolicyConfig } from '../policies/config.js'
import type { MoeLayerConfig } from './config.js'

/** Sizes of a layer. */
export interface LayerSize {
  readonly dim: number
  readonly experts: number
  /** Hidden units of an expert, >= 1. Default: 4 · dim / G, G the policy's granularity, so that G experts cost a dense layer. */
  readonly width?: number
}

/**
 * The layer of paper B: experts W₂ max(0, W₁ x)² without biases, a router without one, no residual of its own (the block around
 * it has one). Draw its parameters with {@link PAPER_B_INIT}.
 * @param select default: `threshold`
 * @param shared a shared expert beside them. Default true
 * @example
 * const layer = createMoeLayer(paperBLayer({ dim: 64, experts: 16 }))
 * const params = layer.init({ seed: 1, scheme: PAPER_B_INIT })
 */
export function paperBLayer(
  { dim, experts, width }: LayerSize,
  select: PolicyConfig = { kind: 'threshold' },
  shared = true,
): MoeLayerConfig {
  const granularity = ('granularity' in select ? select.granularity : undefined) ?? 2
  return {
    dim,
    experts,
    router: { bias: false, select },
    expert: { width: width ?? Math.max(1, Math.round((4 * dim) / granularity)), activation: 'relu-squared' },
    shared: shared ? {} : null,
    residual: false,
  }
}

/** How paper B draws parameters: Xavier uniform. */
export const PAPER_B_INIT: InitScheme = 'xavier'
