/**
 * The text of paper A's language model (§4.5): sequences of letters from one alphabet, then, always at the same step, from
 * another one. Inside an alphabet of n letters the next letter is one further with probability .7, two further with .15,
 * and any of the n with .15, modulo n (the paper calls that a 3-gram chain; one letter decides). The first letter of
 * either part is uniform.
 */
import { FepError, random, schemas, type Tensor } from '@fep-moe/core'
import * as v from 'valibot'

/** What the text looks like; {@link twoAlphabets} has the paper's values. */
export interface TwoAlphabets {
  /** Sequences per batch B, >= 1. */
  readonly batch: number
  /** Letters per sequence, >= 3. One fewer is predicted: T = letters − 1. */
  readonly letters: number
  /** Size of both alphabets together V, even, >= 4. The first V/2 tokens are the first alphabet. */
  readonly vocabulary: number
  /** First letter from the second alphabet, 1..letters−2. */
  readonly switchAt: number
  /** Probability of the next letter in the alphabet, 0..1. */
  readonly next: number
  /** Probability of the one after it, 0..1 − next. What is left is uniform. */
  readonly skip: number
}

/** The paper's values. */
export const twoAlphabets: TwoAlphabets = {
  batch: 256,
  letters: 64,
  vocabulary: 26,
  switchAt: 32,
  next: 0.7,
  skip: 0.15,
}

const schema = v.strictObject({
  batch: schemas.integerFrom(1, 2 ** 20),
  letters: schemas.integerFrom(3, 2 ** 16),
  vocabulary: schemas.integerFrom(4, 2 ** 16),
  switchAt: schemas.integerFrom(1, 2 ** 16),
  next: schemas.nonNegative,
  skip: schemas.nonNegative,
})

/** Checks a task and fills in what is left out with the paper's values. @throws FEP_BAD_CONFIG */
export function resolveTwoAlphabets(task: Partial<TwoAlphabets> = {}): TwoAlphabets {
  const t = schemas.parse(schema, { ...twoAlphabets, ...task }, 'task')
  const refuse = (field: keyof TwoAlphabets, accepted: string): never => {
    throw new FepError('FEP_BAD_CONFIG', `task.${field} is ${t[field]}; accepted: ${accepted}`)
  }
  if (t.vocabulary % 2 !== 0) refuse('vocabulary', 'an even number')
  if (t.switchAt > t.letters - 2) refuse('switchAt', `an integer in 1..${t.letters - 2}`)
  if (t.next > 1) refuse('next', 'a number in 0..1')
  if (t.next + t.skip > 1) refuse('skip', `a number in 0..${1 - t.next}`)
  return t
}

/** One batch. */
export interface TwoAlphabetsBatch {
  /** (B,T) int32: letters 0..T−1. */
  readonly x: Tensor
  /** (B,T) int32: letters 1..T, to be predicted. */
  readonly y: Tensor
}

/** An endless sequence of batches. */
export interface TwoAlphabetsStream {
  readonly task: TwoAlphabets
  /**
   * The next batch. Its arrays are those of the batch before, overwritten: copy what must last, and call this only
   * after the run that reads them has ended.
   */
  next(): TwoAlphabetsBatch
}

/**
 * Opens the stream of a seed. The same seed gives the same bytes; batch n is the same whatever consumes it.
 * @param seed a safe integer >= 0
 * @param name tells streams of one seed apart. Default `training`
 * @throws FEP_BAD_CONFIG, FEP_BAD_ARGUMENT
 * @example
 * const { x, y } = openTwoAlphabets({}, 42).next() // (256,63), (256,63)
 */
export function openTwoAlphabets(
  partial: Partial<TwoAlphabets>,
  seed: number,
  name = 'training',
): TwoAlphabetsStream {
  const task = resolveTwoAlphabets(partial)
  const { batch, letters, vocabulary, switchAt } = task
  const size = vocabulary / 2
  const steps = letters - 1
  const kinds = random(seed, `two-alphabets/${name}/kind`)
  const uniforms = random(seed, `two-alphabets/${name}/letter`)
  const kind = new Float64Array(batch * letters)
  const letter = new Int32Array(batch * letters)
  const [x, y] = [new Int32Array(batch * steps), new Int32Array(batch * steps)]
  return {
    task,
    next: () => {
      kinds.fillUniform(kind)
      uniforms.fillInt(letter, size)
      for (let b = 0; b < batch; b++) {
        let last = 0
        for (let t = 0; t < letters; t++) {
          const i = b * letters + t
          const u = kind[i] as number
          // Either part starts anywhere; a letter of every kind is drawn, so that none moves the draws of another.
          const starts = t === 0 || t === switchAt
          last = letterAfter(task, last, starts ? 1 : u, letter[i] as number)
          const token = t < switchAt ? last : last + size
          if (t < steps) x[b * steps + t] = token
          if (t > 0) y[b * steps + t - 1] = token
        }
      }
      const shape = [batch, steps]
      return { x: { dtype: 'int32', shape, data: x }, y: { dtype: 'int32', shape, data: y } }
    },
  }
}

/**
 * A letter of an alphabet after another one.
 * @param last within its alphabet
 * @param u a number in [0, 1) that says which kind of letter follows; 1: any
 * @param any what follows where any letter may
 */
export function letterAfter(
  { vocabulary, next, skip }: Pick<TwoAlphabets, 'vocabulary' | 'next' | 'skip'>,
  last: number,
  u: number,
  any: number,
): number {
  // A sum of doubles may be above 1 − 2⁻³²: a chain without free letters still starts its alphabets freely.
  if (u === 1 || u >= next + skip) return any
  return (last + (u < next ? 1 : 2)) % (vocabulary / 2)
}
