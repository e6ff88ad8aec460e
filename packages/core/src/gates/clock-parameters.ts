/** Parameters of the clock. */
import { startingAt } from './belief-parameters.js'
import type { ResolvedGateConfig } from './config.js'
import { linearSpecs, type ParameterSpec } from './parameters.js'

/** A resolved clock. */
export type Clock = NonNullable<ResolvedGateConfig['clock']>

/** The constant current: what integrators rise towards, about the size of a membrane. */
export const CURRENT = 4

/** Numbers that a clock shows. */
export const clockWidth = (clock: ResolvedGateConfig['clock']): number =>
  clock ? clock.integrators + 2 * clock.resonators : 0

/** `count` numbers from `from` to `to`. */
const spread = (count: number, from: number, to: number) => (i: number) =>
  count === 1 ? from : from + (i * (to - from)) / (count - 1)

/**
 * `clock.beta_raw` (K), β = σ(beta_raw) from .5 to .98; `clock.frequency` (R) in radians per token, periods 4, 8, 16, …;
 * `clock.decay_raw` (R), a loss of 1 in 10⁴ per token; `W_clock.weight` (E, K + 2R); for surprise `clock.surprise_log_pi`
 * (d), `clock.surprise_slope` and `clock.surprise_offset` (1), a reset of 2 % at no error.
 */
export function clockParams(
  { dim, experts }: ResolvedGateConfig,
  { integrators, resonators, affinity, surpriseReset }: Clock,
): ParameterSpec[] {
  const beta = spread(integrators, 0.5, 0.98)
  const logit = (p: number) => Math.log(p / (1 - p))
  return [
    ...(integrators > 0 ? [startingAt('clock.beta_raw', [integrators], (i) => logit(beta(i)))] : []),
    ...(resonators > 0
      ? [
          startingAt('clock.frequency', [resonators], (i) => (2 * Math.PI) / 2 ** (2 + i)),
          startingAt('clock.decay_raw', [resonators], () => logit(0.9999)),
        ]
      : []),
    ...(surpriseReset
      ? [
          startingAt('clock.surprise_log_pi', [dim], () => 0),
          startingAt('clock.surprise_slope', [1], () => 0),
          startingAt('clock.surprise_offset', [1], () => logit(0.02)),
        ]
      : []),
    ...(affinity
      ? linearSpecs(
          'W_clock',
          clockWidth({ integrators, resonators, affinity, surpriseReset }),
          experts,
          false,
        )
      : []),
  ]
}
