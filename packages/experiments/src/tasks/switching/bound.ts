/** The best possible scores on a stream: those of its exact filter, on streams that were drawn. */
import { FepError, show } from '@fep-moe/core'
import { bayesFilter } from './filter.js'
import { type RoutingScores, routingScorer } from './scores.js'
import { openSwitching } from './stream.js'
import type { SwitchingTask } from './task.js'

/**
 * Scores the exact filter on fresh sequences. For a gate's share of what is possible, score the filter on the very batches
 * the gate is scored on instead: {@link bayesFilter} and {@link routingScorer}.
 * @param sequences how many, >= 1; rounded up to whole batches
 * @throws FEP_BAD_CONFIG, FEP_BAD_ARGUMENT
 * @example switchingBound(switchingTasks.renewal, 20_000, 1).all.accuracy // { mean: .848, standardError: .0004 }
 */
export function switchingBound(given: SwitchingTask, sequences: number, seed: number): RoutingScores {
  if (!Number.isInteger(sequences) || sequences < 1)
    throw new FepError('FEP_BAD_ARGUMENT', `sequences is ${show(sequences)}; accepted: an integer >= 1`)
  const stream = openSwitching({ ...given, batch: Math.min(given.batch, sequences) }, seed, 'switching/bound')
  const filter = bayesFilter(stream.task)
  const scorer = routingScorer(stream.task)
  for (let n = 0; n < sequences; n += stream.task.batch) {
    const batch = stream.next()
    scorer.add(batch, filter(batch).probabilities)
  }
  return scorer.scores()
}
