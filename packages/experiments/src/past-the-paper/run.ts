/** Trains one router on one task, and scores it beside the exact filter on the same fresh sequences. */
import { type Backend, schemas } from '@fep-moe/core'
import * as v from 'valibot'
import type { Job } from '../experiment.js'
import { type Metrics, share, unlimited } from '../metric.js'
import type { Run } from '../results.js'
import { shorten } from '../series.js'
import { bayesFilter } from '../tasks/switching/filter.js'
import { type RoutingScores, routingScorer } from '../tasks/switching/scores.js'
import { openSwitching } from '../tasks/switching/stream.js'
import { contenders, contendersOn } from './contenders.js'
import { type ComparedTask, comparedStream, comparedTasks, type PastThePaperSettings } from './settings.js'

/** Name of the experiment. */
export const NAME = 'past-the-paper'

const scored = {
  accuracyAll: share('accuracy', 'accuracy'),
  accuracySwitches: share('accuracy at switches', 'accuracy'),
  logLossAll: unlimited('log loss (nats)', 4),
  logLossSwitches: unlimited('log loss at switches (nats)', 3),
} satisfies Metrics

/** A metric of the router and of the filter, of which a share of the gap is made. */
export type ScoredMetric = keyof typeof scored

/** Names of {@link ScoredMetric}. */
export const scoredMetrics = Object.keys(scored) as ScoredMetric[]

/** The filter's score on the same sequences. */
export const boundOf = (metric: ScoredMetric) => `bound/${metric}`
/** (router − affinity) / (filter − affinity), by seed. */
export const gapOf = (metric: ScoredMetric) => `gap/${metric}`

/** All metrics. */
export const pastThePaperMetrics: Metrics = {
  ...scored,
  ...Object.fromEntries(
    scoredMetrics.map((m) => [boundOf(m), { ...scored[m], label: `${scored[m].label}, bound` }]),
  ),
  ...Object.fromEntries(
    scoredMetrics.map((m) => [gapOf(m), unlimited(`share of the gap closed, ${scored[m].label}`, 3)]),
  ),
  parameters: { ...unlimited('parameters', 0), exact: true },
  state: { ...unlimited('numbers of state', 0), exact: true },
  flops: { ...unlimited('operations per token', 0), exact: true },
}

/** Conditions, `TASK/ROUTER`. */
export const conditions: readonly string[] = comparedTasks.flatMap((task) =>
  contendersOn(comparedStream(task)).map((router) => `${task}/${router}`),
)

/** The parts of a condition. @throws FEP_BAD_CONFIG for an unknown one */
export function partsOf(condition: string): { readonly task: ComparedTask; readonly router: string } {
  const [task, router] = schemas.parse(v.picklist(conditions), condition, `${NAME}.condition`).split('/')
  return { task: task as ComparedTask, router: router as string }
}

const figuresOf = ({ all, switches }: RoutingScores): Record<ScoredMetric, number> => ({
  accuracyAll: all.accuracy.mean,
  accuracySwitches: switches.accuracy.mean,
  logLossAll: all.logLoss.mean,
  logLossSwitches: switches.logLoss.mean,
})

/** Rows e of (E,T,B) for the first sequence, by name. */
const firstSequence = (name: string, p: Float64Array, experts: number, steps: number, batch: number) =>
  Array.from({ length: experts }, (_, e): [string, number[]] => [
    `${name}${e}`,
    shorten(Array.from({ length: steps }, (_, t) => p[(e * steps + t) * batch] as number)),
  ])

/**
 * Trains and scores. Series of the run, for the first sequence it is scored on: `right`, the right expert by step, and the
 * probability of every expert by step, `router0`.. and `bound0`.. of the exact filter.
 */
export async function runPastThePaper(
  backend: Backend,
  job: Job,
  settings: PastThePaperSettings,
  onEpoch?: (done: number) => void | Promise<void>,
): Promise<Run> {
  const { task: name, router } = partsOf(job.condition)
  const task = comparedStream(name)
  const { cost, open } = (contenders[router] as (typeof contenders)[string])(task)
  const stream = openSwitching(task, job.seed)
  const fresh = openSwitching(task, job.seed, 'switching/evaluation')
  const contender = await open(backend, { seed: job.seed, learningRate: settings.learningRate })
  try {
    const epochs = name === 'fixed' ? settings.paperEpochs : settings.epochs
    for (let epoch = 0; epoch < epochs; epoch++) {
      await contender.step(stream.next())
      const pause = onEpoch?.(epoch + 1)
      if (pause) await pause
    }
    const evaluator = await contender.finish()
    try {
      const filter = bayesFilter(task)
      const scorers = { router: routingScorer(task), bound: routingScorer(task) }
      let series: [string, number[]][] = []
      for (let n = 0; n < settings.evaluated; n += task.batch) {
        const batch = fresh.next()
        const found = {
          router: await evaluator.probabilities(batch),
          bound: filter(batch).probabilities,
        }
        scorers.router.add(batch, found.router)
        scorers.bound.add(batch, found.bound)
        if (n > 0) continue
        const sizes = [task.experts, task.steps, task.batch] as const
        const right = Array.from(
          { length: task.steps },
          (_, t) => batch.targets.data[t * task.batch] as number,
        )
        series = [
          ['right', right],
          ...firstSequence('router', found.router, ...sizes),
          ...firstSequence('bound', found.bound, ...sizes),
        ]
      }
      const bound = Object.entries(figuresOf(scorers.bound.scores()))
      return {
        experiment: NAME,
        ...job,
        backend: backend.name,
        metrics: {
          ...figuresOf(scorers.router.scores()),
          ...Object.fromEntries(bound.map(([metric, value]) => [boundOf(metric as ScoredMetric), value])),
          ...(await cost()),
        },
        series: Object.fromEntries(series),
      }
    } finally {
      evaluator.dispose()
    }
  } finally {
    await contender.dispose()
  }
}
