/**
 * Exact accuracies of the best possible gates on the domain-switch task, from what each may see. No training, no
 * sampling: the normal distribution function and nothing else.
 *
 * One token decides between the domains by the difference of its two half sums. With k = d/2 dimensions a half, signal s
 * and noise σ, that difference is N(±k s, 2 k σ²), so the sign is right with probability Φ(δ), δ = (s/σ) √(k/2); for the
 * paper's values δ = 2.5. n independent tokens whose roles are known add their differences: Φ(δ √n).
 */
import { erfc } from '@fep-moe/core'
import { type DomainSwitch, resolveDomainSwitch } from './domain-switch.js'

/** Accuracy over all scored steps, at the last step before the switch, and at each one. */
export interface StepBound {
  readonly all: number
  readonly transition: number
  /** By step, 0..T−2. */
  readonly perStep: readonly number[]
}

/** Three ceilings, by what a gate sees. */
export interface DomainSwitchBounds {
  /**
   * x_t alone, no clock. The domain at t+1 is that at t in all scored steps but one, and a gate without a clock cannot
   * tell which: it must follow the token, and is wrong before the switch whenever it reads the token rightly.
   */
  readonly stateless: StepBound
  /** x_{t+1} alone: what the paper's oracle sees, one noisy token. */
  readonly nextToken: StepBound
  /** x_0..x_t and the step: every token seen so far tells the domain at t+1. */
  readonly fullHistory: StepBound
}

/** Distribution function of the standard normal. */
export const phi = (z: number): number => erfc(-z / Math.SQRT2) / 2

/**
 * The ceilings for a task.
 * @throws FEP_BAD_CONFIG
 * @example domainSwitchBounds().stateless // { all: 0.9040, transition: 0.0062, perStep: [...] }
 */
export function domainSwitchBounds(task: Partial<DomainSwitch> = {}): DomainSwitchBounds {
  const { steps, dim, switchAt, noise, signal } = resolveDomainSwitch(task)
  const delta = (signal / noise) * Math.sqrt(dim / 4)
  const scored = steps - 1
  const one = phi(delta)
  // With T = 2 the only scored step is the one before the switch, and the best gate contradicts its token.
  const follows = scored > 1
  const transition = follows ? 1 - one : one
  const stays = follows ? one : 1 - one
  const bound = (perStep: readonly number[]): StepBound => ({
    all: perStep.reduce((sum, p) => sum + p, 0) / scored,
    transition: perStep[switchAt - 1] as number,
    perStep,
  })
  const each = (value: (t: number) => number) => bound(Array.from({ length: scored }, (_, t) => value(t)))
  return {
    stateless: each((t) => (t === switchAt - 1 ? transition : stays)),
    nextToken: each(() => one),
    fullHistory: each((t) => phi(delta * Math.sqrt(t + 1))),
  }
}
