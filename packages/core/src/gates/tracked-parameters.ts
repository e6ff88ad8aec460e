/** Parameters of Π that a gate tracks. */
import { startingAt } from './belief-parameters.js'
import type { ResolvedGateConfig } from './config.js'
import type { ParameterSpec } from './parameters.js'

/** `precision.momentum_raw` (1), m = σ(momentum_raw), and `precision.exponent_raw` (1), κ = e^exponent_raw, where learned. */
export function precisionParams(precision: ResolvedGateConfig['precision']): ParameterSpec[] {
  if (!precision?.learned) return []
  const m = Math.min(Math.max(precision.momentum, 1e-6), 1 - 1e-6)
  return [
    startingAt('precision.momentum_raw', [1], () => Math.log(m / (1 - m))),
    startingAt('precision.exponent_raw', [1], () => 0),
  ]
}
