/** Times training steps of an experiment. */
import { setImmediate } from 'node:timers/promises'
import type { Backend } from '@fep-moe/core'
import { findExperiment } from '@fep-moe/experiments'
import { quantile } from './laps.js'
import { timedRuns } from './timed-runs.js'
import { type TrainableName, trainableNames, trainables } from './trainings.js'

/** One condition's timing; the keys are the output's. */
export interface TrainTiming {
  readonly what: 'train'
  readonly experiment: string
  readonly condition: string
  /** Median and 99th percentile of a step: batch generation, gradient, update, precision where there is any. Microseconds. */
  readonly p50_us: number
  readonly p99_us: number
  /** Median time to make a batch; null where an experiment does not make it apart. */
  readonly data_us: number | null
  /** Median time inside the backend's program. */
  readonly run_us: number
  /** Building the graph, its gradient and its update, and compiling them; with the first step where that is not apart. Milliseconds. */
  readonly create_ms: number
}

/** Steps before the measured ones, so that what is compiled on the way is compiled. */
const WARM_UP = 20

/** What to time. */
export interface TrainTimingOptions {
  readonly experiment: string
  readonly condition: string
  readonly steps: number
  readonly signal: AbortSignal
}

/** Times one condition with the paper's sizes. @throws as the training does */
export async function timeTraining(backend: Backend, options: TrainTimingOptions): Promise<TrainTiming> {
  const name = trainableNames.find((one) => one === options.experiment)
  return name ? timeSteps(backend, name, options) : timeEpochs(backend, options)
}

/** Of an experiment that lends its training a step at a time. */
async function timeSteps(
  backend: Backend,
  experiment: TrainableName,
  { condition, steps, signal }: TrainTimingOptions,
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
      what: 'train',
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

/** Of any other experiment: laps between the epochs of a run, which ends after the last one that is measured. */
async function timeEpochs(
  backend: Backend,
  { experiment: name, condition, steps, signal }: TrainTimingOptions,
): Promise<TrainTiming> {
  const experiment = findExperiment(name)
  const { backend: timed, take } = timedRuns(backend)
  const [total, run]: [number[], number[]] = [[], []]
  const enough = new Error('all laps are there')
  // More epochs than are run: what experiments do in the last ones, to score them, is no part of a step.
  const settings = experiment.settings({ epochs: experiment.settings().epochs + WARM_UP + steps })
  const created = performance.now()
  let createMs = 0
  let start = created
  const onEpoch = async (done: number) => {
    const end = performance.now()
    const inside = take()
    if (done === 1) createMs = end - created
    if (done > WARM_UP) {
      total.push(end - start)
      run.push(inside)
    }
    if (total.length === steps) throw enough
    await setImmediate()
    signal.throwIfAborted()
    start = performance.now()
  }
  await experiment.run(timed, { condition, seed: 0 }, settings, onEpoch).catch((error: unknown) => {
    if (error !== enough) throw error
  })
  return {
    what: 'train',
    experiment: name,
    condition,
    p50_us: quantile(total, 0.5),
    p99_us: quantile(total, 0.99),
    data_us: null,
    run_us: quantile(run, 0.5),
    create_ms: Math.round(createMs * 100) / 100,
  }
}
