/** Anticipation (paper A §3.3): a small network, which predicts the next token from the present one and the membrane. */
import type { Value } from '../graph/builder.js'
import { gelu, relu } from '../graph/expressions.js'
import { clockWidth } from './clock-parameters.js'
import type { ResolvedGateConfig } from './config.js'
import { project } from './feature-major.js'
import { linearSpecs, type ParameterSpec } from './parameters.js'
import type { TokenLayer } from './token-table.js'

type Anticipation = NonNullable<ResolvedGateConfig['anticipation']>

/** Whether the predictor gives x̂, which has a loss of its own. */
export const predictsToken = (
  anticipation: ResolvedGateConfig['anticipation'],
): anticipation is Extract<Anticipation, { readonly lossWeight: number }> =>
  anticipation !== null && 'lossWeight' in anticipation

/** Inputs and outputs of each layer. */
function layers(
  { dim, experts, memory, clock }: ResolvedGateConfig,
  { kind, width, depth }: Anticipation,
): [number, number][] {
  const context = (memory ? dim : 0) + clockWidth(clock)
  const inputs = kind === 'distribution' ? dim : dim + context
  const outputs = kind === 'distribution' || kind === 'logits' ? experts : dim
  const sizes = [inputs, ...new Array<number>(depth).fill(width), outputs]
  return sizes.slice(1).map((out, i) => [sizes[i] as number, out])
}

/**
 * PyTorch names of a Sequential: `predictor.0`, `predictor.2`, … (activations take the odd places). With a rank, each
 * layer is itself a Sequential of two: `predictor.0.0.weight` (rank, in) and `predictor.0.1.*` (out, rank).
 */
export function anticipationParams(config: ResolvedGateConfig, anticipation: Anticipation): ParameterSpec[] {
  const { rank } = anticipation
  const specs = layers(config, anticipation).flatMap(([inputs, outputs], i) => {
    const name = `predictor.${2 * i}`
    return rank === null
      ? linearSpecs(name, inputs, outputs)
      : [...linearSpecs(`${name}.0`, inputs, rank, false), ...linearSpecs(`${name}.1`, rank, outputs)]
  })
  return anticipation.kind === 'additive'
    ? [...linearSpecs('W_pred', config.dim, config.experts, false), ...specs]
    : specs
}

/**
 * f([x, h, c]), without what the gate lacks of memory and clock.
 * @param input linear layers of [x, h, c], or of x
 * @returns x̂ (d, N), or logits (E, N) where no token is predicted
 */
export function predictNext(
  anticipation: Anticipation,
  params: Readonly<Record<string, Value>>,
  input: TokenLayer,
): Value {
  const activate = anticipation.activation === 'relu' ? relu : gelu
  const apply = (name: string, layer: TokenLayer) => {
    if (anticipation.rank === null) return layer(params[`${name}.weight`] as Value, params[`${name}.bias`])
    return project(
      layer(params[`${name}.0.weight`] as Value),
      params[`${name}.1.weight`] as Value,
      params[`${name}.1.bias`],
    )
  }
  let y = apply('predictor.0', input)
  for (let layer = 1; layer <= anticipation.depth; layer++) {
    const hidden = activate(y)
    y = apply(`predictor.${2 * layer}`, (weight, bias) => project(hidden, weight, bias))
  }
  return y.named(predictsToken(anticipation) ? 'x_hat' : 'anticipated')
}
