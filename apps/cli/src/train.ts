/** The runs of an experiment: those that are kept from before, and the others over worker processes. */
import { availableParallelism } from 'node:os'
import type { Experiment, ExperimentSettings, Run } from '@fep-moe/experiments'
import type { BackendName } from './backends.js'
import type { RunCache } from './cache.js'
import { interruptible } from './interrupt.js'
import { runTasks } from './pool.js'
import { startProgress } from './progress.js'
import type { Task } from './protocol.js'
import { Interrupted } from './status.js'

/** How runs are made. */
export interface TrainOptions {
  readonly backend: BackendName
  readonly threads: number
  /** Runs at a time. Default: cores / threads. */
  readonly workers?: number
  /** Where finished runs are kept; null: nowhere. */
  readonly cache: RunCache | null
}

/**
 * Every condition with every seed, the longest runs first; returned in the table's order.
 * @throws Interrupted, saying what is kept
 */
export async function trainAll(
  experiment: Experiment,
  settings: ExperimentSettings,
  {
    backend,
    threads,
    workers = Math.max(1, Math.floor(availableParallelism() / threads)),
    cache,
  }: TrainOptions,
): Promise<Run[]> {
  const tasks = experiment.conditions.flatMap((condition) =>
    settings.seeds.map(
      (seed): Task => ({
        experiment: experiment.name,
        settings,
        job: { condition, seed },
        backend,
        threads,
      }),
    ),
  )
  const runs: (Run | undefined)[] = tasks.map((task) => fromCache(cache, task))
  const finished = () => runs.filter((run) => run !== undefined).length
  if (finished() > 0) say(`${finished()} of ${tasks.length} runs from the cache`)
  const open = tasks
    .map((task, place) => ({ task, place, cost: experiment.cost(task.job.condition) }))
    .filter(({ place }) => runs[place] === undefined)
    .sort((a, b) => b.cost - a.cost)
  if (open.length === 0) return runs as Run[]
  try {
    await interruptible(async (signal) => {
      const progress = startProgress(open.map(({ cost }) => cost))
      signal.addEventListener('abort', () => progress.stop())
      try {
        await runTasks(
          open.map(({ task }) => task),
          {
            workers,
            signal,
            onProgress: progress.update,
            onRun: (index, run) => {
              const { task, place } = open[index] as (typeof open)[number]
              cache?.keep(task, run)
              runs[place] = run
            },
          },
        )
      } finally {
        progress.stop()
      }
    })
  } catch (error) {
    if (!(error instanceof Interrupted) || !cache || finished() === 0) throw error
    const kept = `${finished()} of ${tasks.length} runs are kept: the same command goes on from there`
    throw new Interrupted(error.status, kept)
  }
  return runs as Run[]
}

function fromCache(cache: RunCache | null, task: Task): Run | undefined {
  const found = cache?.find(task)
  if (found?.kind === 'damaged') say(`damaged: ${found.path} (${found.why}); that run is made again`)
  return found?.kind === 'hit' ? found.run : undefined
}

const say = (text: string) => void process.stderr.write(`cache: ${text.replace(/\s*\n\s*/g, ' ')}\n`)
