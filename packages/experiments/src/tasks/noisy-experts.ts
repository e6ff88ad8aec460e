/**
 * The regression of paper A's precision experiment (§4.2, Tables 2 and 3). A token is N(0, I); a fair coin draws one of two
 * domains, which the token does not show; the target is the mean of that half of the token. Every expert's output carries
 * noise of its own size, so experts differ in reliability alone.
 */
import { random, type Tensor } from '@fep-moe/core'

/** What a batch looks like. */
export interface NoisyExpertsTask {
  /** Tokens per batch B, >= 1. */
  readonly batch: number
  /** Width of a token d, even. */
  readonly dim: number
  /** Experts E, >= 1. */
  readonly experts: number
}

/** One batch of sequences of one token. */
export interface NoisyExpertsBatch {
  /** (B,1,d) float32. */
  readonly x: Tensor
  /** (B,1,1) float32: the mean of one half of the token. */
  readonly targets: Tensor
  /** (B,1,E,1) float32: what is added to what the experts return. */
  readonly noise: Tensor
}

/**
 * Opens the batches of a seed: the same seed gives the same bytes, whatever the deviations. A batch's arrays are overwritten
 * by the next one.
 * @param seed a safe integer >= 0
 * @throws FEP_BAD_ARGUMENT
 */
export function openNoisyExperts({ batch, dim, experts }: NoisyExpertsTask, seed: number) {
  const tokens = random(seed, 'noisy-experts/x')
  const coins = random(seed, 'noisy-experts/domain')
  const noises = random(seed, 'noisy-experts/noise')
  const x = new Float32Array(batch * dim)
  const domains = new Int32Array(batch)
  const targets = new Float32Array(batch)
  const noise = new Float32Array(batch * experts)
  const half = dim / 2
  return {
    /** Draws the next batch, into the memory of the last one. @param deviations standard deviation of each expert's noise */
    next: (deviations: readonly number[]): NoisyExpertsBatch => {
      tokens.fillNormal(x)
      coins.fillInt(domains, 2)
      for (let b = 0; b < batch; b++) {
        const start = b * dim + (domains[b] as number) * half
        let sum = 0
        for (let i = start; i < start + half; i++) sum += x[i] as number
        targets[b] = sum / half
      }
      noises.fillNormal(noise)
      for (let i = 0; i < noise.length; i++)
        noise[i] = (noise[i] as number) * (deviations[i % experts] as number)
      return {
        x: { dtype: 'float32', shape: [batch, 1, dim], data: x },
        targets: { dtype: 'float32', shape: [batch, 1, 1], data: targets },
        noise: { dtype: 'float32', shape: [batch, 1, experts, 1], data: noise },
      }
    },
  }
}
