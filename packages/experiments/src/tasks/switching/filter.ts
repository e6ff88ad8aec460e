/**
 * The exact Bayes filter of a switching stream: the forward algorithm with durations, in doubles. No gate can know more
 * than p(domain at t+1 | tokens 0..t, errors 0..t−1), so choosing its largest entry is the best accuracy there is, and
 * its own −log is the least log loss.
 *
 * The belief is over places of the chain and, where experts differ, over which expert of every pair is reliable. Each step:
 * 1. errors of the step before weigh the belief about that step, where there are any;
 * 2. predict: stays last, move on or end, pairs flip;
 * 3. the token weighs the prediction; normalize;
 * 4. one more prediction gives the domain (and the reliable expert) at the step that follows.
 *
 * A slide keeps this exact: the mean of a token is a function of the place in the chain, for which a stay also knows the
 * domain before it, K (K − 1) kinds of stays in place of K. Nothing else remembers the slide.
 */
import { switchingChain } from './chain.js'
import { errorEvidence, tokenEvidence } from './evidence.js'
import { predictor } from './predict.js'
import type { SwitchingBatch } from './stream.js'
import { resolveSwitching, type SwitchingTask } from './task.js'

/** What the filter knows of a batch, laid out as a gate's logits are. */
export interface BayesRouting {
  /** (E,T,B): probability that an expert is the right one at each step, given all that a gate may have seen. Decoys: 0. */
  readonly probabilities: Float64Array
}

/**
 * Makes the filter of a task.
 * @returns a function of batches of that task's stream
 * @throws FEP_BAD_CONFIG
 * @example
 * const stream = openSwitching(switchingTasks.renewal, 42)
 * const { probabilities } = bayesFilter(stream.task)(stream.next())
 */
export function bayesFilter(given: SwitchingTask): (batch: SwitchingBatch) => BayesRouting {
  const task = resolveSwitching(given)
  const { batch, steps, domains, experts, reliability } = task
  const chain = switchingChain(task)
  const places = chain.domain.length
  const pairStates = reliability ? 2 ** domains : 1
  const ofToken = tokenEvidence(task, chain)
  const ofErrors = reliability ? errorEvidence({ ...task, reliability }) : undefined
  const predict = predictor(chain, pairStates, reliability?.flip ?? 0)
  const emissions = new Float64Array(chain.emissions.length)
  const errors = new Float64Array(domains * pairStates)
  const belief = new Float64Array(places * pairStates)
  const ahead = new Float64Array(places * pairStates)
  const emissionOf = Int32Array.from(belief, (_, n) => chain.emission[n % places] as number)
  const errorOf = Int32Array.from(
    belief,
    (_, n) => (chain.domain[n % places] as number) * pairStates + Math.floor(n / places),
  )
  const expertOf = Int32Array.from(belief, (_, n) => {
    const domain = chain.domain[n % places] as number
    return (domain * experts) / domains + ((Math.floor(n / places) >> domain) & 1)
  })
  const byExpert = new Float64Array(experts)
  const tokens = steps * batch

  /** The belief before the first token. */
  const begin = (): void => {
    for (let s = 0; s + 1 < chain.first.length; s++)
      for (let n = chain.first[s] as number; n < (chain.first[s + 1] as number); n++)
        for (let r = 0; r < pairStates; r++)
          ahead[r * places + n] = ((chain.start[s] as number) * (chain.enter[n] as number)) / pairStates
  }

  return ({ x, errors: given }) => {
    const probabilities = new Float64Array(experts * tokens)
    for (let b = 0; b < batch; b++) {
      begin()
      for (let t = 0; t < steps; t++) {
        const i = t * batch + b
        if (ofErrors && given && t > 0) {
          ofErrors(given.data, i, errors)
          weigh(belief, belief, errors, errorOf)
          predict(belief, ahead)
        }
        ofToken(x.data, i, emissions)
        weigh(ahead, belief, emissions, emissionOf)
        predict(belief, ahead)
        sumBy(expertOf, ahead, byExpert)
        for (let e = 0; e < experts; e++) probabilities[e * tokens + i] = byExpert[e] as number
      }
    }
    return { probabilities }
  }
}

/** Sums of the entries of a kind. A function of its own, as its like here: in a closure V8 takes several times as long. */
function sumBy(kind: Int32Array, belief: Float64Array, out: Float64Array): void {
  out.fill(0)
  for (let n = 0; n < belief.length; n++) {
    const k = kind[n] as number
    out[k] = (out[k] as number) + (belief[n] as number)
  }
}

/**
 * out ∝ prior · exp(log likelihood), normalized. The likeliest of what is possible weighs 1, so the sum is not 0.
 * @param logs log likelihoods, which it overwrites
 * @param of which of them is that of an entry of the belief
 */
function weigh(prior: Float64Array, out: Float64Array, logs: Float64Array, of: Int32Array): void {
  let most = Number.NEGATIVE_INFINITY
  for (let n = 0; n < prior.length; n++) {
    const l = logs[of[n] as number] as number
    if (l > most && prior[n] !== 0) most = l
  }
  // What is not possible may be likelier than that by any factor: infinity times 0 would be no number.
  for (let i = 0; i < logs.length; i++) logs[i] = Math.exp(Math.min(0, (logs[i] as number) - most))
  let total = 0
  for (let n = 0; n < prior.length; n++) {
    const weighed = (prior[n] as number) * (logs[of[n] as number] as number)
    out[n] = weighed
    total += weighed
  }
  const scale = 1 / total
  for (let n = 0; n < out.length; n++) out[n] = (out[n] as number) * scale
}
