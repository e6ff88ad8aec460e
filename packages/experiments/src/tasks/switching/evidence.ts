/** How likely a token is under each law of a stream, and errors under each state of the experts: natural logarithms. */
import type { Chain } from './chain.js'
import { type SwitchingTask, signalWidth } from './task.js'

/**
 * Fills `out` with log p(token | emission), up to what is the same for all of them.
 *
 * With μ the mean and σ the noise, log N(x; μ, σ² I) = x·μ/σ² − |μ|²/2σ² + what μ does not change. A cue that shows with
 * probability q makes the last dimension a mixture: log((1 − q) + q exp((c x − c²/2)/σ²)) beside the law without one.
 * @returns a function of the tokens (d,T,B) of a batch and the place t·B + b of one
 */
export function tokenEvidence(task: SwitchingTask, { emissions }: Chain) {
  const { batch, steps, dim, domains, signal, noise, cue } = task
  const [tokens, width, variance] = [steps * batch, signalWidth(task) / domains, noise * noise]
  // Means of different domains are orthogonal and of length signal √width.
  const square = (width * signal * signal) / (2 * variance)
  const constant = emissions.map(({ gone, from, to }) =>
    from === to ? square : square * (gone ** 2 + (1 - gone) ** 2),
  )
  const onto = new Float64Array(domains)
  return (x: ArrayLike<number>, i: number, out: Float64Array): void => {
    for (let k = 0; k < domains; k++) {
      let sum = 0
      for (let at = k * width * tokens + i, n = 0; n < width; n++, at += tokens) sum += x[at] as number
      onto[k] = (sum * signal) / variance
    }
    const ratio = cue
      ? Math.exp((cue.strength * (x[(dim - 1) * tokens + i] as number) - cue.strength ** 2 / 2) / variance)
      : 1
    emissions.forEach(({ from, to, gone, cue: q }, e) => {
      const mean =
        from === to ? (onto[to] as number) : gone * (onto[to] as number) + (1 - gone) * (onto[from] as number)
      out[e] = mean - (constant[e] as number) + (cue ? Math.log(1 - q + q * ratio) : 0)
    })
  }
}

/**
 * Fills `out` (K,2^K) with log p(squared errors | the domain, who is reliable); bit k of the second index says that the
 * second expert of domain k is. A squared error is that of N(0, v): −log(v)/2 − e²/2v, and what v does not change.
 * @returns a function of the errors (E,T,B) of a batch and the place t·B + b of one step
 */
export function errorEvidence(
  task: SwitchingTask & { readonly reliability: NonNullable<SwitchingTask['reliability']> },
) {
  const { batch, steps, domains } = task
  const { reliable, unreliable, mismatch } = task.reliability
  const [tokens, states] = [steps * batch, 2 ** domains]
  const variance = [reliable, unreliable].map((s) => [s * s, s * s + mismatch * mismatch] as const)
  const logLikelihood = (square: number, isReliable: boolean, own: boolean) => {
    const v = variance[isReliable ? 0 : 1]?.[own ? 0 : 1] as number
    return -(Math.log(v) + square / v) / 2
  }
  // Of the two experts of a domain: by whether it is the domain, and by which of them is reliable.
  const pair = new Float64Array(domains * 4)
  return (errors: ArrayLike<number>, i: number, out: Float64Array): void => {
    for (let k = 0; k < domains; k++)
      for (let own = 0; own < 2; own++)
        for (let second = 0; second < 2; second++)
          pair[k * 4 + own * 2 + second] =
            logLikelihood(errors[2 * k * tokens + i] as number, second === 0, own === 1) +
            logLikelihood(errors[(2 * k + 1) * tokens + i] as number, second === 1, own === 1)
    for (let domain = 0; domain < domains; domain++)
      for (let state = 0; state < states; state++) {
        let sum = 0
        for (let k = 0; k < domains; k++)
          sum += pair[k * 4 + (k === domain ? 2 : 0) + ((state >> k) & 1)] as number
        out[domain * states + state] = sum
      }
  }
}
