/** Trains one mixture with noisy experts, with or without Π, and watches Π. */
import { adam, type Backend, createMixture, precisionTracker } from '@fep-moe/core'
import type { Job } from '../experiment.js'
import type { Run } from '../results.js'
import { blockMeans, meanOfLast, shorten } from '../series.js'
import { openNoisyExperts } from '../tasks/noisy-experts.js'
import { PRINTED, precisionAt } from './metrics.js'
import { type PrecisionSettings, precisionCondition, swapped } from './settings.js'

/** Steps around the swap that the series of Π cover, where the training has them. */
export const WINDOW = { before: 20, after: 140 } as const

/** Steps before the swap in which Π's noise is measured. */
const STEADY = 100

/**
 * Trains and scores one mixture. Series of the run: `loss` over the training; with Π, `precision0`.. by step in the {@link WINDOW}
 * around the swap.
 */
export async function runPrecision(
  backend: Backend,
  job: Job,
  settings: PrecisionSettings,
  onEpoch?: (done: number) => void | Promise<void>,
): Promise<Run> {
  const { shifts, momentum } = precisionCondition(job.condition)
  const { batch, dim, width, noise, shiftAt, epsilon, learningRate, scoredEpochs } = settings
  const experts = noise.length
  const options = momentum === null ? null : { momentum, epsilon, initialVariance: 1 }
  const layer = createMixture({
    dim,
    experts,
    router: options ? { precision: { kind: 'gain', ...options } } : {},
    expert: { width, outputs: 1 },
  })
  const tracker = options && precisionTracker({ experts, ...options })
  const stream = openNoisyExperts({ batch, dim, experts }, job.seed)
  const trainer = await layer.trainer(backend, layer.init({ seed: job.seed }), {
    optimizer: adam({ lr: learningRate }),
  })
  const after = swapped(noise)
  const losses: number[] = []
  const history: number[][] = []
  let tracked = tracker?.init()
  try {
    for (let step = 0; step < settings.epochs; step++) {
      const sample = stream.next(shifts && step >= shiftAt ? after : noise)
      const result = await trainer.step({ ...sample, ...(tracked && { precision: tracked }) })
      losses.push(await result.loss())
      // As the paper's code: Π of a step comes from the errors of the steps before it.
      if (tracker && tracked) {
        tracked = tracker.update(tracked, await result.errors())
        history.push(Array.from(tracker.precision(tracked).data))
      }
      const pause = onEpoch?.(step + 1)
      if (pause) await pause
    }
    return {
      experiment: 'precision',
      ...job,
      backend: backend.name,
      metrics: {
        earlyLoss: meanOfLast(losses.slice(0, scoredEpochs), scoredEpochs),
        finalLoss: meanOfLast(losses, scoredEpochs),
        ...(momentum === null ? {} : precisionFigures(history, momentum, settings)),
        ...(shifts && tracker ? swapFigures(history, settings) : {}),
      },
      series: {
        loss: shorten(blockMeans(losses)),
        ...(tracker ? aroundSwap(history, settings) : {}),
      },
    }
  } finally {
    await trainer.dispose()
  }
}

/** Π at the end, and its noise. */
function precisionFigures(
  history: readonly (readonly number[])[],
  momentum: number,
  { shiftAt }: PrecisionSettings,
): Record<string, number> {
  const last = history.at(-1) as readonly number[]
  return {
    ...Object.fromEntries(last.map((pi, e) => [`precision${e}`, pi])),
    precisionContrast: Math.max(...last) / Math.min(...last),
    precisionNoise: relativeNoise(history.slice(Math.max(0, shiftAt - STEADY), shiftAt), momentum),
  }
}

/**
 * Relative standard deviation of Π, a mean over experts. Taken from changes between steps: where m is near 1, Π still comes
 * from its start, and its plain deviation would measure that way. Changes of a moving average of independent errors have
 * 2 (1 − m) times its variance.
 */
function relativeNoise(history: readonly (readonly number[])[], momentum: number): number {
  const experts = history[0]?.length ?? 0
  if (history.length < 3) return 0
  let total = 0
  for (let e = 0; e < experts; e++) {
    const changes = history
      .slice(1)
      .map((row, i) => Math.log((row[e] as number) / (history[i]?.[e] as number)))
    const mean = changes.reduce((sum, x) => sum + x, 0) / changes.length
    const variance = changes.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (changes.length - 1)
    total += Math.sqrt(variance / (2 * (1 - momentum)))
  }
  return total / experts
}

/** When Π of the two experts that change places has crossed, and Π at the printed steps. */
function swapFigures(
  history: readonly (readonly number[])[],
  { shiftAt }: PrecisionSettings,
): Record<string, number> {
  const crossed = history.findIndex((row, step) => step >= shiftAt && (row[2] as number) > (row[0] as number))
  return {
    crossoverStep: crossed < 0 ? history.length : crossed,
    ...Object.fromEntries(
      PRINTED.flatMap((offset) =>
        (history[shiftAt + offset] ?? []).map((pi, e): [string, number] => [precisionAt(e, offset), pi]),
      ),
    ),
  }
}

/** Π by step around the swap. */
function aroundSwap(
  history: readonly (readonly number[])[],
  { shiftAt }: PrecisionSettings,
): Record<string, number[]> {
  const rows = history.slice(Math.max(0, shiftAt - WINDOW.before), shiftAt + WINDOW.after)
  const experts = history[0]?.length ?? 0
  return Object.fromEntries(
    Array.from({ length: experts }, (_, e) => [
      `precision${e}`,
      shorten(rows.map((row) => row[e] as number)),
    ]),
  )
}
