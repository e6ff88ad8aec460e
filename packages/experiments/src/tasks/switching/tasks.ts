/** The streams that gates are compared on, each for one thing that it asks of a gate. */
import { uniformly } from './durations.js'
import type { SwitchingTask } from './task.js'

/** The ablation's stream: one switch, always at step 6 of 12. The last step is not scored, as in the paper. */
const fixed: SwitchingTask = {
  batch: 512,
  steps: 12,
  dim: 16,
  domains: 2,
  experts: 4,
  signal: 1,
  noise: 0.8,
  duration: uniformly(6),
  later: { kind: 'forever' },
  successor: 1,
  slide: 0,
  cue: null,
  reliability: null,
  scored: { from: 0, to: 11 },
}

/** Switches again and again, every 4 to 8 steps, to the next of four domains nine times of ten. */
const renewal: SwitchingTask = {
  ...fixed,
  batch: 256,
  steps: 48,
  domains: 4,
  duration: uniformly(4, 8),
  later: null,
  successor: 0.9,
  scored: { from: 8, to: 48 },
}

/**
 * By name. `fixed`: a clock is enough. `jittered`: one switch, its time a surprise of 4..8. `geometric`: neither time nor
 * place of a switch can be told, and a gate must not pretend. `renewal`: memory with resets, and a clock that restarts.
 * `cued`: durations say little, a weak cue two steps ahead says more. `gradual`: the mean slides. `unreliable`: which of
 * two experts is right shows in errors alone. `long`: as `renewal`, with stays of hundreds of steps.
 */
export const switchingTasks = {
  fixed,
  jittered: { ...fixed, batch: 256, duration: uniformly(4, 8) },
  geometric: { ...renewal, duration: { kind: 'geometric', hazard: 1 / 6 }, successor: 1 / 3 },
  renewal,
  cued: {
    ...renewal,
    dim: 17,
    duration: uniformly(4, 16),
    cue: { lead: 2, hits: 0.9, falseAlarms: 0.05, strength: 1.5 },
  },
  gradual: { ...renewal, duration: uniformly(6, 10), slide: 4 },
  unreliable: {
    ...renewal,
    experts: 8,
    reliability: { flip: 0.05, reliable: 0.5, unreliable: 1.5, mismatch: 1 },
  },
  long: { ...renewal, batch: 8, steps: 4096, duration: uniformly(300, 500), scored: { from: 8, to: 4096 } },
} as const satisfies Readonly<Record<string, SwitchingTask>>

/** Name of a stream of {@link switchingTasks}. */
export type SwitchingName = keyof typeof switchingTasks
