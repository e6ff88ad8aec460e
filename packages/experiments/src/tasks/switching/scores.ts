/** Scores of a routing over the scored steps of a stream, with standard errors. */
import { FepError, type Tensor } from '@fep-moe/core'
import { Ratio, type Sampled } from './ratio.js'
import type { SwitchingBatch } from './stream.js'
import type { SwitchingTask } from './task.js'

/** What a probability for every expert is worth. */
export interface RoutingScore {
  /** Share of steps where the largest is that of the right expert; ties to the lower index. */
  readonly accuracy: Sampled
  /** Probability of the right expert. */
  readonly mass: Sampled
  /** Its −log, in nats. */
  readonly logLoss: Sampled
}

/** Over all scored steps, and over those whose next step is of another domain. */
export interface RoutingScores {
  readonly all: RoutingScore
  readonly switches: RoutingScore
}

const METRICS = ['accuracy', 'mass', 'logLoss'] as const

/** Collects scores over batches. */
export interface RoutingScorer {
  /** @param probabilities (E,T,B) of the batch @throws FEP_BAD_ARGUMENT where there are not as many */
  add(batch: SwitchingBatch, probabilities: ArrayLike<number>): void
  /** Of all batches so far. */
  scores(): RoutingScores
}

/** Scores routings of a task's stream. A loss of what a gate holds impossible counts as −log of the least double. */
export function routingScorer({ scored, steps }: Pick<SwitchingTask, 'scored' | 'steps'>): RoutingScorer {
  const fresh = () => METRICS.map(() => new Ratio())
  const ratios = { all: fresh(), switches: fresh() }
  const score = (which: readonly Ratio[]): RoutingScore => {
    const [accuracy, mass, logLoss] = which as [Ratio, Ratio, Ratio]
    return { accuracy: accuracy.sampled, mass: mass.sampled, logLoss: logLoss.sampled }
  }
  return {
    add: ({ targets, switches }, probabilities) => {
      const batch = targets.shape[1] as number
      const tokens = steps * batch
      const experts = probabilities.length / tokens
      if (targets.shape[0] !== steps || !Number.isInteger(experts))
        throw new FepError(
          'FEP_BAD_ARGUMENT',
          `routingScorer: ${probabilities.length} probabilities do not fit targets (${targets.shape.join(', ')})`,
        )
      for (let b = 0; b < batch; b++) {
        const sums = { all: [0, 0, 0], switches: [0, 0, 0] }
        let switched = 0
        for (let t = scored.from; t < scored.to; t++) {
          const i = t * batch + b
          let best = 0
          for (let e = 1; e < experts; e++)
            if ((probabilities[e * tokens + i] as number) > (probabilities[best * tokens + i] as number))
              best = e
          const right = targets.data[i] as number
          const p = probabilities[right * tokens + i] as number
          const found = [best === right ? 1 : 0, p, -Math.log(Math.max(p, Number.MIN_VALUE))]
          const at = switches[i] === 1
          if (at) switched++
          found.forEach((value, m) => {
            sums.all[m] = (sums.all[m] as number) + value
            if (at) sums.switches[m] = (sums.switches[m] as number) + value
          })
        }
        METRICS.forEach((_, m) => {
          ratios.all[m]?.add(sums.all[m] as number, scored.to - scored.from)
          ratios.switches[m]?.add(sums.switches[m] as number, switched)
        })
      }
    },
    scores: () => ({ all: score(ratios.all), switches: score(ratios.switches) }),
  }
}

/**
 * Softmax of logits over experts, in doubles.
 * @param logits (E,T,B)
 * @returns (E,T,B)
 */
export function routingProbabilities({ data, shape }: Tensor): Float64Array {
  const [experts, steps, batch] = shape as [number, number, number]
  const tokens = steps * batch
  const out = new Float64Array(experts * tokens)
  for (let i = 0; i < tokens; i++) {
    let most = Number.NEGATIVE_INFINITY
    for (let e = 0; e < experts; e++) most = Math.max(most, data[e * tokens + i] as number)
    let total = 0
    for (let e = 0; e < experts; e++) total += Math.exp((data[e * tokens + i] as number) - most)
    for (let e = 0; e < experts; e++)
      out[e * tokens + i] = Math.exp((data[e * tokens + i] as number) - most) / total
  }
  return out
}
