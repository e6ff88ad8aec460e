/**
 * Runs spread over worker processes, one session each. Processes and not threads: a run blocks its event loop, and native
 * addons crash in threads.
 */
import { fileURLToPath } from 'node:url'
import { FepError, type FepErrorCode } from '@fep-moe/core'
import type { Run } from '@fep-moe/experiments'
import workerpool from 'workerpool'
import type { Task, TaskProgress } from './protocol.js'

/** How tasks are run. */
export interface PoolOptions {
  /** Processes, >= 1. */
  readonly workers: number
  /** Aborting kills the processes. */
  readonly signal: AbortSignal
  /** @param share of task number `index` that is done, 0..1 */
  readonly onProgress: (index: number, share: number) => void
  /** Called with each run as it ends, before the others are waited for. */
  readonly onRun: (index: number, run: Run) => void
}

/**
 * Starts tasks in the order given, as many at a time as there are workers.
 * @throws what a task or `onRun` throws; FEP_BACKEND_FAILED where a process ends on its own
 */
export async function runTasks(
  tasks: readonly Task[],
  { workers, signal, onProgress, onRun }: PoolOptions,
): Promise<void> {
  if (tasks.length === 0) return
  const pool = workerpool.pool(fileURLToPath(new URL('./worker.js', import.meta.url)), {
    workerType: 'process',
    maxWorkers: Math.min(workers, tasks.length),
    workerTerminateTimeout: 0,
  })
  // With no time to end by themselves the processes are killed.
  const kill = () => Promise.resolve(pool.terminate(true)).catch(() => undefined)
  const abort = () => void kill()
  signal.addEventListener('abort', abort)
  try {
    const running = tasks.map(async (task, index) => {
      const exec = pool.exec('train', [task], {
        on: ({ share }: TaskProgress) => onProgress(index, share),
      })
      const run: Run = await Promise.resolve(exec).catch((error: unknown) => {
        throw explain(error, task)
      })
      onProgress(index, 1)
      onRun(index, run)
    })
    await Promise.all(running)
  } finally {
    signal.removeEventListener('abort', abort)
    await kill()
  }
}

/** Errors cross the process boundary as plain objects. */
function explain(error: unknown, { job }: Task): FepError {
  if (error instanceof FepError) return error
  const { code, message = String(error) } = error as { code?: string; message?: string }
  if (code?.startsWith('FEP_')) return new FepError(code as FepErrorCode, message, { cause: error })
  const ended = /terminated Unexpectedly/i.test(message)
  const [, status] = /exitCode: `(\w+)`/.exec(message) ?? []
  const [, signal] = /signalCode: `(SIG\w+)`/.exec(message) ?? []
  const how = signal ? `signal ${signal}` : `exit status ${status ?? 'unknown'}`
  return new FepError(
    'FEP_BACKEND_FAILED',
    ended
      ? `the process that trained ${job.condition} with seed ${job.seed} ended (${how})`
      : `training ${job.condition} with seed ${job.seed} failed: ${message}`,
    { cause: error },
  )
}
