/** One training on the domain-switch stream, and what it is scored by. */
import { type Backend, expertsForCoverage, type GateConfig } from '@fep-moe/core'
import { type Metrics, share, unlimited } from '../metric.js'
import type { Run } from '../results.js'
import { meanWeights, scoreSteps } from '../scoring.js'
import { shorten } from '../series.js'
import type { DomainSwitchBatch } from '../tasks/domain-switch.js'
import type { DomainSwitchSettings } from './settings.js'
import { openDomainSwitchTraining } from './training.js'

/** Metrics of every run on the stream. */
export const domainSwitchMetrics = {
  accuracyAll: share('acc all', 'accuracy'),
  accuracyTransition: share('acc t=5', 'accuracy'),
  massAll: share('mass all', 'mass'),
  massTransition: share('mass t=5', 'mass'),
  k99: unlimited('K(99 %) from mass', 1, 'mass'),
  k99Accuracy: unlimited('K(99 %) from accuracy', 1, 'accuracy'),
  parameters: { ...unlimited('parameters', 0), exact: true },
} satisfies Metrics

/** Name of a run's metric. */
export type DomainSwitchMetric = keyof typeof domainSwitchMetrics

/** Infinity is no JSON: a gate that gives the right expert nothing would need more draws than anybody makes. */
const coverage = (p: number) => expertsForCoverage(p, { cap: 1e9 })

/**
 * Trains and scores one gate. Series of the run: `accuracy`, `mass` and `weight0`.. by step, the latter over sequences that
 * start in domain 0; where there is a membrane `membraneFirst` and `membraneSecond`, its mean over either half of the
 * dimensions in those sequences of the last batch, and `beta` by dimension; `precision` by expert where Π is tracked.
 */
export async function runDomainSwitch(
  backend: Backend,
  { experiment, condition, seed }: Pick<Run, 'experiment' | 'condition' | 'seed'>,
  config: GateConfig,
  settings: DomainSwitchSettings,
  onEpoch?: (done: number) => void | Promise<void>,
): Promise<Run> {
  const { epochs, switchAt, experts, steps } = settings
  const scored = Math.min(settings.scoredEpochs, epochs)
  const zeros = (length: number) => new Array<number>(length).fill(0)
  const sums = { accuracyAll: 0, accuracyTransition: 0, massAll: 0, massTransition: 0 }
  const perStep = {
    accuracy: zeros(steps - 1),
    mass: zeros(steps - 1),
    ...Object.fromEntries(Array.from({ length: experts }, (_, e) => [`weight${e}`, zeros(steps - 1)])),
  } as Record<string, number[]>
  const add = (name: string, values: readonly number[]) => {
    const sum = perStep[name] as number[]
    values.forEach((x, i) => {
      sum[i] = (sum[i] as number) + x / scored
    })
  }
  const training = await openDomainSwitchTraining(backend, config, seed, settings)
  try {
    let batch: DomainSwitchBatch | undefined
    for (let epoch = 0; epoch < epochs; epoch++) {
      batch = training.sample()
      const result = await training.step(batch)
      if (epoch >= epochs - scored) {
        const logits = await result.featureMajorLogits()
        const scores = scoreSteps(logits, batch.targets, switchAt - 1)
        sums.accuracyAll += scores.accuracyAll
        sums.accuracyTransition += scores.accuracyAt
        sums.massAll += scores.massAll
        sums.massTransition += scores.massAt
        add('accuracy', scores.accuracy)
        add('mass', scores.mass)
        // A batch in which no sequence starts in domain 0 is possible where a user makes it tiny.
        if (batch.startInFirst > 0)
          meanWeights(logits, batch.startInFirst).forEach((list, e) => {
            add(`weight${e}`, list)
          })
      }
      training.track(batch)
      const pause = onEpoch?.(epoch + 1)
      if (pause) await pause
    }
    const betas = await training.betas()
    const membrane: Record<string, number[]> = betas ? membraneSeries(batch as DomainSwitchBatch, betas) : {}
    const precision = training.precision()
    const parameters = Object.values(await training.params()).reduce((n, p) => n + p.data.length, 0)
    const [accuracyTransition, massTransition] = [
      sums.accuracyTransition / scored,
      sums.massTransition / scored,
    ]
    const metrics: Record<DomainSwitchMetric, number> = {
      accuracyAll: sums.accuracyAll / scored,
      accuracyTransition,
      massAll: sums.massAll / scored,
      massTransition,
      k99: coverage(massTransition),
      k99Accuracy: coverage(accuracyTransition),
      parameters,
    }
    const series = Object.entries({ ...perStep, ...membrane, ...(precision && { precision }) }).map(
      ([name, list]) => [name, shorten(list)],
    )
    return { experiment, condition, seed, backend: backend.name, metrics, series: Object.fromEntries(series) }
  } finally {
    await training.dispose()
  }
}

/** The membrane is linear in the tokens: that of a mean sequence is the mean of the membranes. */
function membraneSeries({ x, startInFirst }: DomainSwitchBatch, betas: readonly number[]) {
  const [dim, steps, batch] = x.shape as [number, number, number]
  const halves: [number[], number[]] = [new Array(steps).fill(0), new Array(steps).fill(0)]
  for (let d = 0; d < dim; d++) {
    const half = halves[2 * d < dim ? 0 : 1]
    let h = 0
    for (let t = 0; t < steps; t++) {
      let sum = 0
      for (let b = 0; b < startInFirst; b++) sum += x.data[(d * steps + t) * batch + b] as number
      h = (betas[d] as number) * h + sum / Math.max(1, startInFirst)
      half[t] = (half[t] as number) + h / (dim / 2)
    }
  }
  return { membraneFirst: halves[0], membraneSecond: halves[1], beta: [...betas] }
}
