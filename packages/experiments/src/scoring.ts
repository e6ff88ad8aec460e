/** Scores of logits as a trainer has them, features first. */
import { FepError, type Tensor } from '@fep-moe/core'

/** Means over a batch. Accuracy counts the largest logit, ties to the lower index; mass is softmax weight. */
export interface Scores {
  readonly accuracyAll: number
  readonly accuracyAt: number
  readonly massAll: number
  readonly massAt: number
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
  let [hitsAll, hitsAt, massAll, massAt] = [0, 0, 0, 0]
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
    hitsAll += hits
    massAll += mass
    if (t === step) [hitsAt, massAt] = [hits, mass]
  }
  return {
    accuracyAll: hitsAll / tokens,
    accuracyAt: hitsAt / batch,
    massAll: massAll / tokens,
    massAt: massAt / batch,
  }
}
