/** Scores of logits as a trainer has them, features first. */
import { FepError, type Tensor } from '@fep-moe/core'

/** Means over a batch. Accuracy counts the largest logit, ties to the lower index; mass is softmax weight. */
export interface Scores {
  readonly accuracyAll: number
  readonly accuracyAt: number
  readonly massAll: number
  readonly massAt: number
  /** By step, 0..T'−1. */
  readonly accuracy: readonly number[]
  readonly mass: readonly number[]
}

/**
 * Accuracy and gate mass over all routed steps and at one of them.
 * @param logits (E,T',B)
 * @param targets (T',B) int32
 * @param step 0..T'−1
 * @throws FEP_BAD_ARGUMENT where shapes or the step do not fit
 */
export function scoreSteps(logits: Tensor, targets: Tensor, step: number): Scores {
  const [experts, steps, batch] = logits.shape as [number, number, number]
  if (logits.shape.length !== 3 || targets.shape.join() !== `${steps},${batch}`)
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `scoreSteps: logits (${logits.shape.join(', ')}) and targets (${targets.shape.join(', ')}) do not fit`,
    )
  if (!Number.isInteger(step) || step < 0 || step >= steps)
    throw new FepError('FEP_BAD_ARGUMENT', `scoreSteps: step ${step} is outside 0..${steps - 1}`)
  const z = logits.data
  const tokens = steps * batch
  const [allHits, allMass]: [number[], number[]] = [[], []]
  for (let t = 0; t < steps; t++) {
    let [hits, mass] = [0, 0]
    for (let i = t * batch; i < (t + 1) * batch; i++) {
      const right = targets.data[i] as number
      let best = 0
      for (let e = 1; e < experts; e++)
        if ((z[e * tokens + i] as number) > (z[best * tokens + i] as number)) best = e
      const top = z[best * tokens + i] as number
      let total = 0
      for (let e = 0; e < experts; e++) total += Math.exp((z[e * tokens + i] as number) - top)
      if (best === right) hits++
      mass += Math.exp((z[right * tokens + i] as number) - top) / total
    }
    allHits.push(hits)
    allMass.push(mass)
  }
  const sum = (list: readonly number[]) => list.reduce((total, x) => total + x, 0)
  return {
    accuracyAll: sum(allHits) / tokens,
    accuracyAt: (allHits[step] as number) / batch,
    massAll: sum(allMass) / tokens,
    massAt: (allMass[step] as number) / batch,
    accuracy: allHits.map((hits) => hits / batch),
    mass: allMass.map((mass) => mass / batch),
  }
}

/**
 * Mean softmax weight of each expert at each step, over the first sequences of a batch.
 * @param logits (E,T',B)
 * @param sequences how many, 1..B
 * @returns by expert, then by step
 * @throws FEP_BAD_ARGUMENT where there are not that many
 */
export function meanWeights(logits: Tensor, sequences: number): number[][] {
  const [experts, steps, batch] = logits.shape as [number, number, number]
  if (logits.shape.length !== 3 || !Number.isInteger(sequences) || sequences < 1 || sequences > batch)
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `meanWeights: ${sequences} sequences of logits (${logits.shape.join(', ')}); accepted: (E,T,B) and 1..B`,
    )
  const means = Array.from({ length: experts }, () => new Array<number>(steps).fill(0))
  const row = new Float64Array(experts)
  for (let t = 0; t < steps; t++)
    for (let b = 0; b < sequences; b++) {
      for (let e = 0; e < experts; e++) row[e] = logits.data[(e * steps + t) * batch + b] as number
      const top = row.reduce((most, z) => Math.max(most, z), Number.NEGATIVE_INFINITY)
      const total = row.reduce((sum, z) => sum + Math.exp(z - top), 0)
      for (let e = 0; e < experts; e++)
        (means[e] as number[])[t] =
          ((means[e] as number[])[t] as number) + Math.exp((row[e] as number) - top) / total
    }
  return means.map((list) => list.map((x) => x / sequences))
}
