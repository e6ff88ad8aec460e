/** What a gate carries from step to step, per sequence. */
import type { ResolvedGateConfig } from './config.js'

/** One state: a vector per sequence, 0 before the first token. */
export interface StateSpec {
  /** `memory`, `anticipation`; feeds and results are called `state/NAME`. */
  readonly name: string
  readonly width: number
}

/**
 * States of a gate. `memory`: h (d), U (E), s (E), or sums and number of tokens (d+1), by kind. `anticipation`: the
 * average token and 1 where there is one (d+1), where a distribution is anticipated.
 */
export function gateStates({ dim, experts, memory, anticipation }: ResolvedGateConfig): StateSpec[] {
  const widths = { leaky: dim, membrane: experts, probability: experts, mean: dim + 1 }
  return [
    ...(memory ? [{ name: 'memory', width: widths[memory.kind] }] : []),
    ...(anticipation?.kind === 'distribution' ? [{ name: 'anticipation', width: dim + 1 }] : []),
  ]
}
