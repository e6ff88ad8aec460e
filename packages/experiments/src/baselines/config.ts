/**
 * Routers that one would try in place of a gate: what the literature on sequences offers off the shelf. Plain models with
 * a linear readout, to be compared with, at the same size of state or number of parameters.
 */
import { FepError, schemas } from '@fep-moe/core'
import * as v from 'valibot'

/** A router of a kind, with its sizes. */
export interface BaselineConfig {
  /**
   * `gru`: a gated recurrent unit as torch.nn.GRU (Cho et al. 2014). `min-gru`: h_t = (1 − z_t) h_{t−1} + z_t h̃_t with z_t =
   * σ(W_z x_t) and h̃_t = W_h x_t, which do not see h (Feng et al., arXiv 2410.01201). `convolution`: causal, with relu.
   */
  readonly kind: 'gru' | 'min-gru' | 'convolution'
  /** Width of a token d, >= 1. */
  readonly dim: number
  /** E >= 1. */
  readonly experts: number
  /** Units per layer H, >= 1. */
  readonly hidden: number
  /** Layers, 1..16; each takes what the one before returns. Default 1. */
  readonly layers?: number
  /** Tokens that a convolution sees, the present one included, >= 1. Default 8; `convolution` alone has it. */
  readonly kernel?: number
}

/** A configuration with its defaults; `kernel` is 1 where there is no convolution. */
export type ResolvedBaseline = Required<BaselineConfig>

/** Kinds of routers. */
export const baselineKinds = ['gru', 'min-gru', 'convolution'] as const

const schema = v.strictObject({
  kind: v.picklist(baselineKinds),
  dim: schemas.integerFrom(1),
  experts: schemas.integerFrom(1),
  hidden: schemas.integerFrom(1),
  layers: v.optional(schemas.integerFrom(1, 16)),
  kernel: v.optional(schemas.integerFrom(1, 2 ** 16)),
})

/** Checks a configuration and fills in its defaults. @throws FEP_BAD_CONFIG naming the field */
export function resolveBaseline(config: BaselineConfig): ResolvedBaseline {
  const { layers = 1, kernel, ...rest } = schemas.parse(schema, config, 'baseline')
  const convolves = rest.kind === 'convolution'
  if (!convolves && kernel !== undefined)
    throw new FepError('FEP_BAD_CONFIG', `baseline.kernel is unknown here: '${rest.kind}' has no such field`)
  return { ...rest, layers, kernel: convolves ? (kernel ?? 8) : 1 }
}
