/**
 * Exact accuracies on sequences that are judged at their end. One token's difference of its two half sums is
 * N(±k s, 2 k σ²), k = d/2 (see domain-switch-bounds.ts), so a gate that weighs step t with w_t decides rightly with
 * probability Φ(δ Σ w_t r_t / √(Σ w_t²)), where r_t = 1, 0, −1 says what the step shows and δ = (s/σ) √(d/4).
 */
import { phi } from './domain-switch-bounds.js'
import type { LastStepTask } from './last-step.js'

/** The sequences of a task, without their number and name. */
type Shape = Pick<LastStepTask, 'dim' | 'noise' | 'signal' | 'shows'>

/** Accuracy of the best gate that weighs the steps so: weights in the order of time. */
export function weightedAccuracy({ dim, noise, signal, shows }: Shape, weights: readonly number[]): number {
  const delta = (signal / noise) * Math.sqrt(dim / 4)
  const evidence = shows.reduce((sum: number, r, t) => sum + r * (weights[t] as number), 0)
  const scale = Math.hypot(...weights)
  return scale === 0 ? 0.5 : phi((delta * evidence) / scale)
}

/** By what a gate makes of the tokens. */
export interface LastStepBounds {
  readonly lastToken: number
  /** All tokens alike. */
  readonly meanPool: number
  /** A membrane without a cap, β^{T−1−t} for step t, with the decay that the task starts with. */
  readonly membrane: number
  /** The same with the best decay, see {@link bestDecay}. */
  readonly bestMembrane: number
  /** The best weights that there are: those of a gate that knows which step shows what. */
  readonly fullHistory: number
}

/** Accuracy of a membrane without a cap. */
const membraneAccuracy = (task: Shape, beta: number): number =>
  weightedAccuracy(
    task,
    task.shows.map((_, t) => beta ** (task.shows.length - 1 - t)),
  )

/** The decay in .001..1 with which a membrane without a cap decides best, to three digits. */
export function bestDecay(task: Shape): number {
  let best = { beta: 1, accuracy: 0 }
  for (let i = 1; i <= 1000; i++) {
    const accuracy = membraneAccuracy(task, i / 1000)
    if (accuracy > best.accuracy) best = { beta: i / 1000, accuracy }
  }
  return best.beta
}

/** The ceilings of a task. */
export function lastStepBounds(task: Shape, beta: number): LastStepBounds {
  const last = task.shows.length - 1
  const by = (weight: (t: number) => number) =>
    weightedAccuracy(
      task,
      task.shows.map((_, t) => weight(t)),
    )
  return {
    lastToken: by((t) => (t === last ? 1 : 0)),
    meanPool: by(() => 1),
    membrane: membraneAccuracy(task, beta),
    bestMembrane: membraneAccuracy(task, bestDecay(task)),
    fullHistory: by((t) => task.shows[t] as number),
  }
}
