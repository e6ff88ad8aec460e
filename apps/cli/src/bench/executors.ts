/** Times one executor on the three things a gate does. */
import type { Backend } from '@fep-moe/core'
import { ablation } from '@fep-moe/experiments'
import { timeRoute, timeStream } from './inference.js'
import { timeTraining } from './train.js'

/** Medians in microseconds; the keys are the output's. */
export interface ExecutorTiming {
  readonly what: 'executor'
  readonly executor: string
  /** One call of `gate.route` on a batch of the ablation. */
  readonly forward_us: number
  /** One training step of the ablation's condition beta+ant, batch generation included. */
  readonly train_us: number
  /** One token of one sequence. */
  readonly stream_us: number
}

/** Times an executor with the ablation's sizes. */
export async function timeExecutor(
  executor: string,
  backend: Backend,
  { steps, signal }: { readonly steps: number; readonly signal: AbortSignal },
): Promise<ExecutorTiming> {
  const { batch, steps: length, dim, experts } = ablation.settings()
  const laps = { steps, warmUp: 10, signal }
  const forward = await timeRoute(backend, { batch, steps: length, dim, experts }, laps)
  const train = await timeTraining(backend, { experiment: 'ablation', condition: 'beta+ant', steps, signal })
  const stream = await timeStream(backend, [dim, experts], { steps: 20 * steps, warmUp: 500, signal })
  return {
    what: 'executor',
    executor,
    forward_us: forward.p50_us,
    train_us: train.p50_us,
    stream_us: stream.p50_us,
  }
}
