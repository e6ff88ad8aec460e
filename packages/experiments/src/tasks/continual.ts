/**
 * Domains that come one after another and never again: does a mixture forget the first one while it learns the third? A
 * sequence stays in one domain, which its tokens show as in `switching/task.ts`; the target of a token is linear in it,
 * y = c_k · x + noise, by a map of its own in each domain. Who trains decides which domain a batch is of.
 *
 * A learner that has all three maps still has to tell the domain from the tokens so far. With p_k their exact posterior,
 * the least squared error is that of the mean Σ_k p_k c_k · x: the posterior's doubt, and the noise of the target.
 */
import { FepError, random, schemas, show, type Tensor } from '@fep-moe/core'
import * as v from 'valibot'
import { Ratio, type Sampled } from './switching/ratio.js'

/** What the batches look like; {@link continual} has our values. */
export interface ContinualTask {
  /** Sequences per batch B, >= 1. */
  readonly batch: number
  /** Tokens per sequence T, >= 1. */
  readonly steps: number
  /** Width of a token d, a multiple of `domains`. */
  readonly dim: number
  /** K >= 2. */
  readonly domains: number
  /** Signal on each dimension of the domain's part, > 0. */
  readonly signal: number
  /** Standard deviation of the noise on every dimension, > 0. */
  readonly noise: number
  /** Standard deviation of what is added to a target, > 0: no error gets below its square. */
  readonly targetNoise: number
}

/** Three domains, which one token tells nineteen times of twenty. */
export const continual: ContinualTask = {
  batch: 64,
  steps: 12,
  dim: 15,
  domains: 3,
  signal: 1,
  noise: 0.8,
  targetNoise: 0.1,
}

const schema = v.strictObject({
  batch: schemas.integerFrom(1, 2 ** 20),
  steps: schemas.integerFrom(1, 2 ** 16),
  dim: schemas.integerFrom(2, 2 ** 16),
  domains: schemas.integerFrom(2, 64),
  signal: schemas.positive,
  noise: schemas.positive,
  targetNoise: schemas.positive,
})

/** Checks a task and fills in what is left out with our values. @throws FEP_BAD_CONFIG */
export function resolveContinual(given: Partial<ContinualTask> = {}): ContinualTask {
  const task = schemas.parse(schema, { ...continual, ...given }, 'task')
  if (task.dim % task.domains !== 0)
    throw new FepError(
      'FEP_BAD_CONFIG',
      `task.dim is ${task.dim}; accepted: a multiple of task.domains, ${task.domains}`,
    )
  return task
}

/** One batch, as a mixture takes it. */
export interface ContinualBatch {
  /** (B,T,d) float32. */
  readonly x: Tensor
  /** (B,T,1) float32. */
  readonly targets: Tensor
}

/** Batches of domains. */
export interface ContinualStream {
  readonly task: ContinualTask
  /** The maps c_k of this seed, (K,d): standard normal entries over √d. */
  readonly maps: Float64Array
  /** The next batch, of one domain; its arrays are those of the batch before, overwritten. @throws FEP_BAD_ARGUMENT */
  next(domain: number): ContinualBatch
}

/**
 * Opens the batches of a seed: the same seed gives the same bytes. The maps depend on the seed alone, so streams of other
 * names are other batches of the same problem.
 * @param seed a safe integer >= 0
 * @throws FEP_BAD_CONFIG, FEP_BAD_ARGUMENT
 */
export function openContinual(
  partial: Partial<ContinualTask>,
  seed: number,
  name = 'training',
): ContinualStream {
  const task = resolveContinual(partial)
  const { batch, steps, dim, domains, signal, noise, targetNoise } = task
  const maps = new Float64Array(domains * dim)
  random(seed, 'continual/map').fillNormal(maps, 0, 1 / Math.sqrt(dim))
  const noises = random(seed, `continual/${name}/noise`)
  const targetNoises = random(seed, `continual/${name}/target`)
  const x = new Float32Array(batch * steps * dim)
  const targets = new Float32Array(batch * steps)
  const width = dim / domains
  return {
    task,
    maps,
    next: (domain) => {
      if (!Number.isInteger(domain) || domain < 0 || domain >= domains)
        throw new FepError(
          'FEP_BAD_ARGUMENT',
          `domain is ${show(domain)}; accepted: an integer in 0..${domains - 1}`,
        )
      noises.fillNormal(x, 0, noise)
      targetNoises.fillNormal(targets, 0, targetNoise)
      for (let i = 0; i < targets.length; i++) {
        for (let d = domain * width; d < (domain + 1) * width; d++)
          x[i * dim + d] = (x[i * dim + d] as number) + signal
        targets[i] = (targets[i] as number) + mapped(maps, domain, x, i, dim)
      }
      return {
        x: { dtype: 'float32', shape: [batch, steps, dim], data: x },
        targets: { dtype: 'float32', shape: [batch, steps, 1], data: targets },
      }
    },
  }
}

/** c_k · x of token i. */
function mapped(maps: Float64Array, k: number, x: ArrayLike<number>, i: number, dim: number): number {
  let y = 0
  for (let d = 0; d < dim; d++) y += (maps[k * dim + d] as number) * (x[i * dim + d] as number)
  return y
}

/** What is possible on batches of a stream. */
export interface ContinualBound {
  /** Mean squared error of who knows the maps and infers the domain from the tokens so far. */
  readonly inferred: Sampled
  /** Of who is told the domain as well: the noise of the target. */
  readonly told: Sampled
}

/**
 * The least squared error on sequences of all domains alike, by the exact posterior.
 * @param sequences how many, >= 1; rounded up to a batch for each domain
 * @throws FEP_BAD_CONFIG, FEP_BAD_ARGUMENT
 */
export function continualBound(
  partial: Partial<ContinualTask>,
  sequences: number,
  seed: number,
): ContinualBound {
  if (!Number.isInteger(sequences) || sequences < 1)
    throw new FepError('FEP_BAD_ARGUMENT', `sequences is ${show(sequences)}; accepted: an integer >= 1`)
  const { task, maps, next } = openContinual(partial, seed, 'bound')
  const { batch, steps, dim, domains, signal, noise } = task
  const width = dim / domains
  const [inferred, told] = [new Ratio(), new Ratio()]
  for (let n = 0, domain = 0; n < sequences || domain !== 0; domain = (domain + 1) % domains) {
    const { x, targets } = next(domain)
    for (let b = 0; b < batch; b++) {
      const evidence = new Float64Array(domains)
      const sums = { inferred: 0, told: 0 }
      for (let i = b * steps; i < (b + 1) * steps; i++) {
        for (let d = 0; d < dim; d++) {
          const k = Math.floor(d / width)
          // Means are equally long: what differs between domains is x·μ_k/σ².
          evidence[k] = (evidence[k] as number) + ((x.data[i * dim + d] as number) * signal) / (noise * noise)
        }
        const most = Math.max(...evidence)
        const weights = evidence.map((e) => Math.exp(e - most))
        const total = weights.reduce((a, w) => a + w, 0)
        const guess = weights.reduce((y, w, k) => y + (w / total) * mapped(maps, k, x.data, i, dim), 0)
        const y = targets.data[i] as number
        sums.inferred += (y - guess) ** 2
        sums.told += (y - mapped(maps, domain, x.data, i, dim)) ** 2
      }
      inferred.add(sums.inferred, steps)
      told.add(sums.told, steps)
      n++
    }
  }
  return { inferred: inferred.sampled, told: told.sampled }
}
