/**
 * Exact bits per letter of the best possible models of the text of two alphabets, by what they see. No training, no
 * sampling.
 *
 * With n letters an alphabet, the next letter is one further with probability p₁ = next + r/n, two further with
 * p₂ = skip + r/n, each of the others with r/n, r = 1 − next − skip: H bits, whatever the letter. The first letter of the
 * second alphabet is uniform: log₂ n bits for whoever knows that it comes.
 *
 * A model that sees one token only cannot know. Letters of the first alphabet are all alike, so it minimizes its loss by
 * one probability q that the alphabet ends: with w the weight of that step in the loss, and s letters in the first part,
 * q = w / (w + s − 1). It pays −log₂(1 − q) on each of the s − 1 steps before and log₂(n / q) at the switch.
 */
import { resolveTwoAlphabets, type TwoAlphabets, type TwoAlphabetsBatch } from './two-alphabets.js'

/** Bits per predicted letter. */
export interface TextBound {
  /** Mean over all predictions. */
  readonly all: number
  /** Predicting the first letter of the second alphabet. */
  readonly transition: number
  /** By step, 0..T−1. */
  readonly perStep: readonly number[]
}

/** Two floors. */
export interface TwoAlphabetsBounds {
  /** x_t alone: what minimizes the weighted loss without memory or clock. */
  readonly stateless: TextBound
  /** x_0..x_t, and so the step. */
  readonly fullHistory: TextBound
}

/** Probability of every distance to the next letter of an alphabet, modulo its size. */
export function followers({
  vocabulary,
  next,
  skip,
}: Pick<TwoAlphabets, 'vocabulary' | 'next' | 'skip'>): number[] {
  const size = vocabulary / 2
  const probabilities = new Array<number>(size).fill((1 - next - skip) / size)
  // With two letters, two further is the same letter again.
  for (const [distance, p] of [
    [1, next],
    [2, skip],
  ] as const)
    probabilities[distance % size] = (probabilities[distance % size] as number) + p
  return probabilities
}

/** Probability that a letter comes after another one within their alphabet, for every letter of a batch (B · T). */
export function lettersWithin(
  task: Pick<TwoAlphabets, 'vocabulary' | 'next' | 'skip'>,
  { x, y }: Pick<TwoAlphabetsBatch, 'x' | 'y'>,
): Float64Array {
  const [size, distances] = [task.vocabulary / 2, followers(task)]
  return Float64Array.from(
    y.data as Int32Array,
    (next, i) => distances[(next - (x.data[i] as number) + size) % size] as number,
  )
}

/** −Σ p log₂ p in bits. */
export const entropy = (probabilities: readonly number[]): number =>
  probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log2(p) : sum), 0)

/**
 * The floors for a task.
 * @param transitionWeight weight of the step before the switch in the loss, > 0
 * @throws FEP_BAD_CONFIG
 * @example twoAlphabetsBounds().fullHistory // { all: 1.6247, transition: 3.7004, perStep: [...] }
 */
export function twoAlphabetsBounds(
  task: Partial<TwoAlphabets> = {},
  transitionWeight = 5,
): TwoAlphabetsBounds {
  const { letters, vocabulary, switchAt, next, skip } = resolveTwoAlphabets(task)
  const size = vocabulary / 2
  const within = entropy(followers({ vocabulary, next, skip }))
  const ends = transitionWeight / (transitionWeight + switchAt - 1)
  const bound = (before: number, transition: number): TextBound => {
    const perStep = Array.from({ length: letters - 1 }, (_, t) =>
      t < switchAt - 1 ? before : t === switchAt - 1 ? transition : within,
    )
    return { all: perStep.reduce((sum, bits) => sum + bits, 0) / perStep.length, transition, perStep }
  }
  return {
    stateless: bound(within - Math.log2(1 - ends), Math.log2(size / ends)),
    fullHistory: bound(within, Math.log2(size)),
  }
}

/**
 * What the best model that sees all letters so far pays for the letters of a batch: the floor on the very text that a model is
 * scored on.
 * @returns −log₂ p of each letter of `y` given those before it, (B · T)
 * @throws FEP_BAD_CONFIG
 */
export function twoAlphabetsBits(
  partial: Partial<TwoAlphabets>,
  batch: Pick<TwoAlphabetsBatch, 'x' | 'y'>,
): Float64Array {
  const task = resolveTwoAlphabets(partial)
  const steps = task.letters - 1
  return lettersWithin(task, batch).map((p, i) =>
    i % steps === task.switchAt - 1 ? Math.log2(task.vocabulary / 2) : -Math.log2(p),
  )
}
