/** What a gate carries from step to step, per sequence. */
import type { ResolvedGateConfig } from './config.js'

/** One state: a vector per sequence, 0 before the first token. */
export interface StateSpec {
  /** `memory`, `anticipation`, `belief`, `cues`, `clock`, `precision`; feeds and results are called `state/NAME`. */
  readonly name: string
  readonly width: number
}

/**
 * States of a gate. `memory`: h (d), U (E), s (E), or sums and number of tokens (d+1), by kind. `anticipation`: the
 * average token and 1 where there is one (d+1), where a distribution is anticipated. `belief`: of the next token, before
 * its evidence, state by state (S·M). `cues`: what tokens add to hazards of the next K - 1 steps (S·(K - 1)). `clock`: number of tokens so far (1). `precision`: variances less their start (E),
 * where the gate tracks them.
 */
export function gateStates({
  dim,
  experts,
  memory,
  anticipation,
  belief,
  clock,
  precision,
}: ResolvedGateConfig): StateSpec[] {
  const states = belief ? belief.states * belief.copies : 0
  const widths = { leaky: dim, membrane: experts, probability: experts, mean: dim + 1 }
  return [
    ...(memory ? [{ name: 'memory', width: widths[memory.kind] }] : []),
    ...(anticipation?.kind === 'distribution' ? [{ name: 'anticipation', width: dim + 1 }] : []),
    ...(belief ? [{ name: 'belief', width: states * belief.phases }] : []),
    ...(belief && belief.cues > 1 ? [{ name: 'cues', width: states * (belief.cues - 1) }] : []),
    ...(clock ? [{ name: 'clock', width: 1 }] : []),
    ...(precision?.scope === 'tracked' ? [{ name: 'precision', width: experts }] : []),
  ]
}
