/**
 * Sequences that are judged once, at their end (paper A §4.1, Table 1): which domain do they mean? A token shows the domain
 * in question, the other one, or nothing but noise; which of these is the same for all sequences of a task.
 */
import { random, type Tensor } from '@fep-moe/core'
import { addTo } from './add-to.js'

/** What a sequence looks like. */
export interface LastStepTask {
  /** Names the random streams: tasks with different names have different noise. */
  readonly name: string
  /** Sequences per batch B, >= 1. */
  readonly batch: number
  /** Width of a token d, even: domain D puts its signal on the D-th half. */
  readonly dim: number
  /** Standard deviation of the noise on every dimension. */
  readonly noise: number
  /** Signal on each dimension of the domain's half. */
  readonly signal: number
  /** By step, T of them: 1 the domain in question, −1 the other one, 0 noise alone. */
  readonly shows: readonly (-1 | 0 | 1)[]
}

/** One batch, features first. Sequences of domain 0 come first. */
export interface LastStepBatch {
  /** (d,T,B) float32. */
  readonly x: Tensor
  /** (1,B) int32: the right expert at the end, 2 · domain. */
  readonly targets: Tensor
  /** How many sequences mean domain 0, the others domain 1: a fair coin for each. */
  readonly ofFirst: number
}

/** Task A of Table 1: the domain shows in the first steps only. */
export const earlySignal = (steps: number, signalSteps: number): LastStepTask['shows'] =>
  Array.from({ length: steps }, (_, t) => (t < signalSteps ? 1 : 0))

/** Task B: the other domain first, the one in question from a step on. */
export const lateSwitch = (steps: number, switchAt: number): LastStepTask['shows'] =>
  Array.from({ length: steps }, (_, t) => (t < switchAt ? -1 : 1))

/**
 * Opens the batches of a seed: the same seed gives the same bytes. A batch's arrays are overwritten by the next one.
 * @param seed a safe integer >= 0
 * @throws FEP_BAD_ARGUMENT
 */
export function openLastStep(
  { name, batch, dim, noise, signal, shows }: LastStepTask,
  seed: number,
): {
  /** Draws the next batch, into the memory of the last one. */
  next(): LastStepBatch
} {
  const noises = random(seed, `${name}/noise`)
  const coins = random(seed, `${name}/domain`)
  const steps = shows.length
  const x = new Float32Array(dim * steps * batch)
  const domains = new Int32Array(batch)
  const targets = new Int32Array(batch)
  return {
    next: () => {
      noises.fillNormal(x, 0, noise)
      coins.fillInt(domains, 2)
      const ofFirst = batch - domains.reduce((sum, domain) => sum + domain, 0)
      targets.fill(0, 0, ofFirst).fill(2, ofFirst)
      for (let d = 0; d < dim; d++)
        shows.forEach((shown, t) => {
          if (shown === 0) return
          const row = (d * steps + t) * batch
          const domain = 2 * d < dim ? 0 : 1
          const first = domain === (shown === 1 ? 0 : 1)
          addTo(x, first ? row : row + ofFirst, first ? row + ofFirst : row + batch, signal)
        })
      return {
        x: { dtype: 'float32', shape: [dim, steps, batch], data: x },
        targets: { dtype: 'int32', shape: [1, batch], data: targets },
        ofFirst,
      }
    },
  }
}
