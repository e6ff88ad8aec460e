/** The exact filter on the sequences that routers are scored on. */
import { shorten } from '../series.js'
import { bayesFilter } from '../tasks/switching/filter.js'
import { type RoutingScores, routingScorer } from '../tasks/switching/scores.js'
import { openSwitching, type SwitchingStream } from '../tasks/switching/stream.js'
import type { SwitchingTask } from '../tasks/switching/task.js'

/** Fresh sequences of a seed, the same for all routers. */
export const evaluationStream = (task: SwitchingTask, seed: number): SwitchingStream =>
  openSwitching(task, seed, 'switching/evaluation')

/** What the filter gets, and what it holds of the first sequence. */
export interface ExactBound {
  readonly scores: RoutingScores
  /** `right`, the right expert by shown step, and `bound0`.., the filter's probability of each expert. */
  readonly series: Readonly<Record<string, readonly number[]>>
}

/** Points that a line over a sequence has at most. */
const POINTS = 256

/** Of every so many steps of a sequence one is shown. */
export const strideOf = (steps: number): number => Math.ceil(steps / POINTS)

/** Rows e of (E,T,B) for the first sequence at the steps that are shown, by name. */
export const firstSequence = (name: string, p: Float64Array, { experts, steps, batch }: SwitchingTask) =>
  Object.fromEntries(
    Array.from({ length: experts }, (_, e): [string, number[]] => [
      `${name}${e}`,
      shorten(shown(steps, (t) => p[(e * steps + t) * batch] as number)),
    ]),
  )

const shown = (steps: number, at: (t: number) => number): number[] =>
  Array.from({ length: Math.ceil(steps / strideOf(steps)) }, (_, i) => at(i * strideOf(steps)))

const found = new Map<string, ExactBound>()

/** Scores the filter; once a process for the same task, seed and number of sequences, because every router is held against it. */
export function exactBound(task: SwitchingTask, seed: number, evaluated: number): ExactBound {
  const key = JSON.stringify({ task, seed, evaluated })
  const known = found.get(key)
  if (known) return known
  const fresh = evaluationStream(task, seed)
  const filter = bayesFilter(task)
  const scorer = routingScorer(task)
  let series: ExactBound['series'] = {}
  for (let n = 0; n < evaluated; n += task.batch) {
    const batch = fresh.next()
    const { probabilities } = filter(batch)
    scorer.add(batch, probabilities)
    if (n === 0)
      series = {
        right: shown(task.steps, (t) => batch.targets.data[t * task.batch] as number),
        ...firstSequence('bound', probabilities, task),
      }
  }
  const bound = { scores: scorer.scores(), series }
  found.set(key, bound)
  return bound
}
