/** Times training steps of an experiment. */
import { setImmediate } from 'node:timers/promises'
import type { Backend } from '@fep-moe/core'
import { quantile } from './laps.js'
import { timedRuns } from './timed-runs.js'
import { type TrainableName, trainables } from './trainings.js'

/** One condition's timing; the keys are the output's. */
export interface TrainTiming {
  readonly experiment: TrainableName
  readonly condition: string
  /** Median and 99th percentile of a step: batch generation, gradient, update, precision where there is any. Microseconds. */
  readonly p50_us: number
  readonly p99_us: number
  /** Median time to make a batch. */
  readonly data_us: number
  /** Median time inside the backend's program. */
  readonly run_us: number
  /** Building the graph, its gradient and its update, and compiling them. Milliseconds. */
  readonly create_ms: number
}

/** Steps before the measured ones, so that what is compiled on the way is compiled. */
const WARM_UP = 20

/** What to time. */
export interface TrainTimingOptions {
  readonly experiment: TrainableName
  readonly condition: string
  readonly steps: number
  readonly signal: AbortSignal
}

/** Times one condition with the paper's sizes. @throws as the training does */
export async function timeTraining(
  backend: Backend,
  { experiment, condition, steps, signal }: TrainTimingOptions,
): Promise<TrainTiming> {
  const { backend: timed, take } = timedRuns(backend)
  const created = performance.now()
  const training = await trainables[experiment].open(timed, condition)
  try {
    await training.prepare()
    const createMs = performance.now() - created
    const [total, data, run]: [number[], number[], number[]] = [[], [], []]
    for (let i = -WARM_UP; i < steps; i++) {
      signal.throwIfAborted()
      const start = performance.now()
      const step = training.sample()
      const sampled = performance.now()
      await step()
      const end = performance.now()
      const inside = take()
      if (i >= 0) {
        total.push(end - start)
        data.push(sampled - start)
        run.push(inside)
      }
      // Between two laps: a signal to stop is seen here, on a synchronous backend too.
      await setImmediate()
    }
    return {
      experiment,
      condition,
      p50_us: quantile(total, 0.5),
      p99_us: quantile(total, 0.99),
      data_us: quantile(data, 0.5),
      run_us: quantile(run, 0.5),
      create_ms: Math.round(createMs * 100) / 100,
    }
  } finally {
    await training.dispose()
  }
}
