/**
 * The stream of paper A's ablation (§4.4): sequences that switch once between two domains, always at the same step. The
 * right expert at step t is that of the domain at t+1, so the step before the switch cannot be read off the tokens.
 */
import { FepError, random, schemas, type Tensor } from '@fep-moe/core'
import * as v from 'valibot'
import { addTo } from './add-to.js'

/** What the stream looks like; {@link domainSwitch} has the paper's values. */
export interface DomainSwitch {
  /** Sequences per batch B, >= 1. */
  readonly batch: number
  /** Tokens per sequence T, >= 2. Steps 0..T−2 are routed and scored: the last one has no successor. */
  readonly steps: number
  /** Width of a token d, even: domain D puts its signal on the D-th half. */
  readonly dim: number
  /** Experts E, >= 3. Expert 2·D is right for domain D; the others are decoys. */
  readonly experts: number
  /** First step of the second domain, 1..T−1. */
  readonly switchAt: number
  /** Standard deviation of the noise on every dimension, > 0. */
  readonly noise: number
  /** Signal on each dimension of the domain's half, > 0. */
  readonly signal: number
}

/** The paper's values. */
export const domainSwitch: DomainSwitch = {
  batch: 512,
  steps: 12,
  dim: 16,
  experts: 4,
  switchAt: 6,
  noise: 0.8,
  signal: 1,
}

const schema = v.strictObject({
  batch: schemas.integerFrom(1, 2 ** 20),
  steps: schemas.integerFrom(2, 2 ** 16),
  dim: schemas.integerFrom(2, 2 ** 16),
  experts: schemas.integerFrom(3, 2 ** 16),
  switchAt: schemas.integerFrom(1, 2 ** 16),
  noise: schemas.positive,
  signal: schemas.positive,
})

/** Checks a task and fills in what is left out with the paper's values. @throws FEP_BAD_CONFIG */
export function resolveDomainSwitch(task: Partial<DomainSwitch> = {}): DomainSwitch {
  const t = schemas.parse(schema, { ...domainSwitch, ...task }, 'task')
  if (t.dim % 2 !== 0) throw new FepError('FEP_BAD_CONFIG', `task.dim is ${t.dim}; accepted: an even number`)
  if (t.switchAt >= t.steps)
    throw new FepError(
      'FEP_BAD_CONFIG',
      `task.switchAt is ${t.switchAt}; accepted: an integer in 1..${t.steps - 1}`,
    )
  return t
}

/** One batch, features first. Sequences that start in domain 0 come first: what they gain is then one run of a row. */
export interface DomainSwitchBatch {
  /** (d,T,B) float32. */
  readonly x: Tensor
  /** (T−1,B) int32: the right expert at steps 0..T−2. */
  readonly targets: Tensor
  /** How many sequences start in domain 0, the others in domain 1: a fair coin for each. */
  readonly startInFirst: number
}

/** An endless sequence of batches. */
export interface DomainSwitchStream {
  readonly task: DomainSwitch
  /**
   * The next batch. Its arrays are those of the batch before, overwritten: copy what must last, and call this only
   * after the run that reads them has ended.
   */
  next(): DomainSwitchBatch
}

/**
 * Opens the stream of a seed. The same seed gives the same bytes; batch n is the same whatever consumes it.
 * @param seed a safe integer >= 0
 * @param name of its random streams: another name gives independent batches of the same seed
 * @throws FEP_BAD_CONFIG, FEP_BAD_ARGUMENT
 * @example
 * const stream = openDomainSwitch({}, 42)
 * const { x, targets } = stream.next() // (16,12,512), (11,512)
 */
export function openDomainSwitch(
  partial: Partial<DomainSwitch>,
  seed: number,
  name = 'domain-switch',
): DomainSwitchStream {
  const task = resolveDomainSwitch(partial)
  const { batch, steps, dim, noise } = task
  const noises = random(seed, `${name}/noise`)
  const coins = random(seed, `${name}/start`)
  const x = new Float32Array(dim * steps * batch)
  const targets = new Int32Array((steps - 1) * batch)
  const starts = new Int32Array(batch)
  return {
    task,
    next: () => {
      noises.fillNormal(x, 0, noise)
      coins.fillInt(starts, 2)
      let startInFirst = 0
      for (let b = 0; b < batch; b++) startInFirst += 1 - (starts[b] as number)
      addSignal(x, startInFirst, task)
      fillTargets(targets, startInFirst, task)
      return {
        x: { dtype: 'float32', shape: [dim, steps, batch], data: x },
        targets: { dtype: 'int32', shape: [steps - 1, batch], data: targets },
        startInFirst,
      }
    },
  }
}

/** Adds the signal where a sequence is in the domain of that half of the dimensions. */
function addSignal(
  x: Float32Array,
  startInFirst: number,
  { batch, steps, dim, switchAt, signal }: DomainSwitch,
): void {
  for (let d = 0; d < dim; d++) {
    const half = 2 * d < dim ? 0 : 1
    for (let t = 0; t < steps; t++) {
      const row = (d * steps + t) * batch
      // The first sequences are in domain 0 before the switch and in domain 1 after it; the others the other way round.
      const first = half === (t < switchAt ? 0 : 1)
      addTo(x, first ? row : row + startInFirst, first ? row + startInFirst : row + batch, signal)
    }
  }
}

/** The right expert at step t is that of the domain at t+1. */
function fillTargets(
  targets: Int32Array,
  startInFirst: number,
  { batch, steps, switchAt }: DomainSwitch,
): void {
  for (let t = 0; t + 1 < steps; t++) {
    const first = t + 1 < switchAt ? 0 : 2
    targets.fill(first, t * batch, t * batch + startInFirst)
    targets.fill(2 - first, t * batch + startInFirst, (t + 1) * batch)
  }
}
