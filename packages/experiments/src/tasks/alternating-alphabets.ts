/**
 * The text of two alphabets with switches at random times, many times: what the paper's language model is asked where a
 * clock that starts with the sequence is of no use. Letters follow each other as in `two-alphabets.ts`; an alphabet lasts
 * as its law says, then the other one starts, with any of its letters. The first stay starts with the sequence, in the
 * first alphabet.
 *
 * The letters themselves tell the alphabet, so all that a model has to infer is how long the present one has lasted.
 */
import { FepError, random, schemas, type Tensor } from '@fep-moe/core'
import { type DurationLaw, durationSchema, hazards, uniformly } from './switching/durations.js'
import { letterAfter, resolveTwoAlphabets, type TwoAlphabets, twoAlphabets } from './two-alphabets.js'

/** What the text looks like; {@link alternatingAlphabets} has our values. */
export interface AlternatingAlphabets extends Omit<TwoAlphabets, 'switchAt'> {
  /** How many letters an alphabet lasts. */
  readonly duration: DurationLaw
}

const { switchAt: _, ...shared } = twoAlphabets

/** The paper's sizes and letters; an alphabet lasts 8 to 12 letters, so that a text has five or six switches. */
export const alternatingAlphabets: AlternatingAlphabets = { ...shared, duration: uniformly(8, 12) }

/** Checks a task and fills in what is left out. @throws FEP_BAD_CONFIG */
export function resolveAlternatingAlphabets(given: Partial<AlternatingAlphabets> = {}): AlternatingAlphabets {
  const { duration = alternatingAlphabets.duration, ...rest } = given
  if ('switchAt' in rest)
    throw new FepError('FEP_BAD_CONFIG', 'task.switchAt is unknown here: switches come as task.duration says')
  const { switchAt: _, ...letters } = resolveTwoAlphabets({ ...rest, switchAt: 1 })
  return { ...letters, duration: schemas.parse(durationSchema, duration, 'task.duration') }
}

/** One batch. */
export interface AlternatingAlphabetsBatch {
  /** (B,T) int32: letters 0..T−1. */
  readonly x: Tensor
  /** (B,T) int32: letters 1..T, to be predicted. */
  readonly y: Tensor
  /** (B,T): 1 where the letter to predict is the first one of its alphabet. */
  readonly switches: Uint8Array
}

/** An endless sequence of batches. */
export interface AlternatingAlphabetsStream {
  readonly task: AlternatingAlphabets
  /** The next batch; its arrays are those of the batch before, overwritten. */
  next(): AlternatingAlphabetsBatch
}

/**
 * Opens the stream of a seed. The same seed gives the same bytes; batch n is the same whatever consumes it.
 * @param seed a safe integer >= 0
 * @param name tells streams of one seed apart. Default `training`
 * @throws FEP_BAD_CONFIG, FEP_BAD_ARGUMENT
 * @example
 * const { x, y } = openAlternatingAlphabets({}, 42).next() // (256,63), (256,63)
 */
export function openAlternatingAlphabets(
  partial: Partial<AlternatingAlphabets>,
  seed: number,
  name = 'training',
): AlternatingAlphabetsStream {
  const task = resolveAlternatingAlphabets(partial)
  const { batch, letters, vocabulary, duration } = task
  const [size, steps, law] = [vocabulary / 2, letters - 1, hazards(duration)]
  const streams = {
    kinds: random(seed, `alternating-alphabets/${name}/kind`),
    letters: random(seed, `alternating-alphabets/${name}/letter`),
    ends: random(seed, `alternating-alphabets/${name}/end`),
  }
  const [kind, end] = [new Float64Array(batch * letters), new Float64Array(batch * letters)]
  const letter = new Int32Array(batch * letters)
  const [x, y] = [new Int32Array(batch * steps), new Int32Array(batch * steps)]
  const switches = new Uint8Array(batch * steps)
  return {
    task,
    next: () => {
      streams.kinds.fillUniform(kind)
      streams.ends.fillUniform(end)
      streams.letters.fillInt(letter, size)
      for (let b = 0; b < batch; b++) {
        let [last, age, alphabet] = [0, 0, 0]
        for (let t = 0; t < letters; t++) {
          const i = b * letters + t
          const ends = age > 0 && (end[i] as number) < hazardAt(law, age)
          if (ends) alphabet = 1 - alphabet
          age = ends ? 1 : age + 1
          last = letterAfter(task, last, age === 1 ? 1 : (kind[i] as number), letter[i] as number)
          const token = last + alphabet * size
          if (t < steps) x[b * steps + t] = token
          if (t > 0) {
            y[b * steps + t - 1] = token
            switches[b * steps + t - 1] = ends ? 1 : 0
          }
        }
      }
      const shape = [batch, steps]
      return {
        x: { dtype: 'int32', shape, data: x },
        y: { dtype: 'int32', shape, data: y },
        switches,
      }
    },
  }
}

/** The hazard at an age, from 1. */
export const hazardAt = (law: readonly number[], age: number): number =>
  law[Math.min(age, law.length) - 1] as number
