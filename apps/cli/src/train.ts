/** The runs of experiments: those that are kept from before, and the others over one pool of worker processes. */
import { availableParallelism } from 'node:os'
import type { Run } from '@fep-moe/experiments'
import type { BackendName } from './backends.js'
import type { RunCache } from './cache.js'
import { interruptible } from './interrupt.js'
import { runTasks } from './pool.js'
import { startProgress } from './progress.js'
import type { Task } from './protocol.js'
import type { Part } from './reproduce/plan.js'
import { Interrupted } from './status.js'

/** How runs are made. */
export interface TrainOptions {
  readonly backend: BackendName
  readonly threads: number
  /** Runs at a time. Default: cores / threads. */
  readonly workers?: number
  /** Where finished runs are kept; null: nowhere. */
  readonly cache: RunCache | null
  /**
   * Called as soon as all runs of a part are there, in the table's order. `print` writes to standard output around the
   * progress display.
   */
  readonly onPart: (index: number, runs: readonly Run[], terminal: { print(text: string): void }) => void
}

/** One run that is wanted. */
interface Wanted {
  readonly task: Task
  readonly part: number
  readonly cost: number
  run?: Run
}

/**
 * Every condition with every seed, of all parts. Runs of the first part come first, so that its table shows early; the
 * longest go first otherwise, whatever part they belong to: the end of one never leaves a processor idle.
 * @throws Interrupted, saying what is kept
 */
export async function trainAll(
  parts: readonly Part[],
  {
    backend,
    threads,
    workers = Math.max(1, Math.floor(availableParallelism() / threads)),
    cache,
    onPart,
  }: TrainOptions,
): Promise<void> {
  const wanted = parts.flatMap(({ experiment, settings }, part) =>
    (settings.conditions ?? experiment.conditions).flatMap((condition) =>
      settings.seeds.map((seed): Wanted => {
        const task: Task = {
          experiment: experiment.name,
          settings,
          job: { condition, seed },
          backend,
          threads,
        }
        const run = fromCache(cache, task)
        return { task, part, cost: experiment.cost(condition), ...(run && { run }) }
      }),
    ),
  )
  const finished = () => wanted.filter(({ run }) => run !== undefined).length
  if (finished() > 0) say(`${finished()} of ${wanted.length} runs from the cache`)
  const written: string[] = []
  const finish = (part: number, print: (text: string) => void) => {
    const own = wanted.filter((one) => one.part === part)
    const runs = own.flatMap(({ run }) => run ?? [])
    if (runs.length < own.length) return
    onPart(part, runs, { print })
    written.push((parts[part] as Part).experiment.name)
  }
  const open = wanted
    .filter(({ run }) => run === undefined)
    .sort((a, b) => Number(a.part > 0) - Number(b.part > 0) || b.cost - a.cost)
  const unfinished = new Set(open.map(({ part }) => part))
  parts.forEach((_, part) => {
    if (!unfinished.has(part)) finish(part, (text) => void process.stdout.write(text))
  })
  if (open.length === 0) return
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
              const one = open[index] as Wanted
              cache?.keep(one.task, run)
              one.run = run
              finish(one.part, progress.print)
            },
          },
        )
      } finally {
        progress.stop()
      }
    })
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    if (cache && finished() > 0) {
      const kept = `${finished()} of ${wanted.length} runs are kept: the same command goes on from there`
      throw new Interrupted(error.status, kept)
    }
    if (written.length > 0) throw new Interrupted(error.status, `written: results of ${written.join(', ')}`)
    throw error
  }
}

function fromCache(cache: RunCache | null, task: Task): Run | undefined {
  const found = cache?.find(task)
  if (found?.kind === 'damaged') say(`damaged: ${found.path} (${found.why}); that run is made again`)
  return found?.kind === 'hit' ? found.run : undefined
}

const say = (text: string) => void process.stderr.write(`cache: ${text.replace(/\s*\n\s*/g, ' ')}\n`)
