/** Trains one router on one task, and scores it beside the exact filter on the same fresh sequences. */
import { type Backend, schemas } from '@fep-moe/core'
import * as v from 'valibot'
import type { Job } from '../experiment.js'
import type { Run } from '../results.js'
import { type RoutingScores, routingScorer } from '../tasks/switching/scores.js'
import { openSwitching } from '../tasks/switching/stream.js'
import { evaluationStream, exactBound, firstSequence } from './bounds.js'
import { contenders, contendersOn } from './contenders.js'
import { CONTINUAL, mixtures, runContinual } from './continual.js'
import { boundOf, type ScoredMetric } from './metrics.js'
import {
  budgetOf,
  type ComparedTask,
  comparedStream,
  comparedTasks,
  type PastThePaperSettings,
} from './settings.js'
import { type Window, windowsOf } from './windows.js'

/** Name of the experiment. */
export const NAME = 'past-the-paper'

/** Name of a condition. */
export const conditionOf = (task: ComparedTask | typeof CONTINUAL, router: string): string =>
  `${task} ${router}`

/** Conditions, `TASK ROUTER`. */
export const conditions: readonly string[] = [
  ...comparedTasks.flatMap((task) =>
    contendersOn(comparedStream(task)).map((router) => conditionOf(task, router)),
  ),
  ...Object.keys(mixtures).map((router) => conditionOf(CONTINUAL, router)),
]

/** The parts of a condition. @throws FEP_BAD_CONFIG for an unknown one */
export function partsOf(condition: string): {
  readonly task: ComparedTask | typeof CONTINUAL
  readonly router: string
} {
  const [task, router] = schemas.parse(v.picklist(conditions), condition, `${NAME}.condition`).split(' ')
  return { task: task as ComparedTask, router: router as string }
}

const figuresOf = ({ all, switches }: RoutingScores): Record<ScoredMetric, number> => ({
  accuracyAll: all.accuracy.mean,
  accuracySwitches: switches.accuracy.mean,
  logLossAll: all.logLoss.mean,
  logLossSwitches: switches.logLoss.mean,
})

/**
 * Trains and scores. Series of a run with a routing score, for the first sequence it is scored on: `right`, the right expert,
 * and the probability of every expert, `router0`.. and `bound0`.. of the exact filter, at the steps that are shown.
 */
export async function runPastThePaper(
  backend: Backend,
  job: Job,
  settings: PastThePaperSettings,
  onEpoch?: (done: number) => void | Promise<void>,
): Promise<Run> {
  const { task, router } = partsOf(job.condition)
  const found =
    task === CONTINUAL
      ? await runContinual(backend, router, job.seed, settings, onEpoch)
      : await runRouting(backend, { task, router, seed: job.seed }, settings, onEpoch)
  return { experiment: NAME, ...job, backend: backend.name, ...found }
}

async function runRouting(
  backend: Backend,
  {
    task: name,
    router,
    seed,
  }: { readonly task: ComparedTask; readonly router: string; readonly seed: number },
  settings: PastThePaperSettings,
  onEpoch?: (done: number) => void | Promise<void>,
): Promise<Pick<Run, 'metrics' | 'series'>> {
  const task = comparedStream(name)
  const { updates, window, evaluated } = budgetOf(name, settings)
  const { cost, open } = (contenders[router] as (typeof contenders)[string])(task)
  const stream = openSwitching(task, seed)
  const contender = await open(backend, { seed, learningRate: settings.learningRate, window })
  try {
    let rest: readonly Window[] = []
    for (let done = 0; done < updates; done++) {
      const first = rest.length === 0
      const [part, ...later] = first ? windowsOf(stream.next(), window) : rest
      await contender.step(part as Window, first)
      rest = later
      const pause = onEpoch?.(done + 1)
      if (pause) await pause
    }
    const evaluator = await contender.finish()
    try {
      const fresh = evaluationStream(task, seed)
      const scorer = routingScorer(task)
      let series: Run['series'] = {}
      for (let n = 0; n < evaluated; n += task.batch) {
        const batch = fresh.next()
        const probabilities = await evaluator.probabilities(batch)
        scorer.add(batch, probabilities)
        if (n === 0) series = firstSequence('router', probabilities, task)
      }
      const bound = exactBound(task, seed, evaluated)
      const ofBound = Object.entries(figuresOf(bound.scores)) as [ScoredMetric, number][]
      return {
        metrics: {
          ...figuresOf(scorer.scores()),
          ...Object.fromEntries(ofBound.map(([metric, value]) => [boundOf(metric), value])),
          ...(await cost()),
        },
        series: { ...bound.series, ...series },
      }
    } finally {
      evaluator.dispose()
    }
  } finally {
    await contender.dispose()
  }
}
