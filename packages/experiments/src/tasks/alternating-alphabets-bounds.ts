/**
 * Exact bits per letter of the best models of the alternating text, by what they see. No training, no sampling.
 *
 * With n letters an alphabet and H bits inside one (`two-alphabets-bounds.ts`), a model that holds a switch for h likely
 * pays −log₂(1 − h) + H bits on average where there is none and −log₂(h/n) where there is one. Who has seen all letters
 * knows the age a of the present stay, and h is the hazard h(a). Who sees the letter and the step alone knows which
 * alphabet it is and when, and h is the mean hazard over the ages that this leaves; those follow from the law of durations
 * by a recursion over steps.
 */
import {
  type AlternatingAlphabets,
  type AlternatingAlphabetsBatch,
  hazardAt,
  resolveAlternatingAlphabets,
} from './alternating-alphabets.js'
import { hazards } from './switching/durations.js'
import { entropy, followers, lettersWithin, type TextBound } from './two-alphabets-bounds.js'

/** Two floors. */
export interface AlternatingAlphabetsBounds {
  /** x_t and t: a clock that starts with the sequence, and no memory of the switches. */
  readonly clock: TextBound
  /** x_0..x_t. */
  readonly fullHistory: TextBound
}

/** P(alphabet, age) at each step 0..T−1: rows of 2 · T, ages from 1. */
function ages({ letters, duration }: AlternatingAlphabets): Float64Array[] {
  const [steps, law] = [letters - 1, hazards(duration)]
  let now = new Float64Array(2 * steps)
  now[0] = 1
  const rows = [now]
  for (let t = 1; t < steps; t++) {
    const next = new Float64Array(2 * steps)
    for (let alphabet = 0; alphabet < 2; alphabet++)
      for (let age = 1; age <= t; age++) {
        const p = now[alphabet * steps + age - 1] as number
        const h = hazardAt(law, age)
        const other = (1 - alphabet) * steps
        next[alphabet * steps + age] = p * (1 - h)
        next[other] = (next[other] as number) + p * h
      }
    rows.push(next)
    now = next
  }
  return rows
}

/**
 * The floors for a task.
 * @throws FEP_BAD_CONFIG
 * @example alternatingAlphabetsBounds().fullHistory.all
 */
export function alternatingAlphabetsBounds(
  partial: Partial<AlternatingAlphabets> = {},
): AlternatingAlphabetsBounds {
  const task = resolveAlternatingAlphabets(partial)
  const [steps, size, law] = [task.letters - 1, task.vocabulary / 2, hazards(task.duration)]
  const within = entropy(followers(task))
  const rows = ages(task)
  const bound = (believed: (row: Float64Array, alphabet: number, age: number) => number): TextBound => {
    let [atSwitches, switches] = [0, 0]
    const perStep = rows.map((row) => {
      let bits = 0
      for (let alphabet = 0; alphabet < 2; alphabet++)
        for (let age = 1; age <= steps; age++) {
          const p = row[alphabet * steps + age - 1] as number
          if (p === 0) continue
          const [h, belief] = [hazardAt(law, age), believed(row, alphabet, age)]
          if (h < 1) bits += p * (1 - h) * (within - Math.log2(1 - belief))
          if (h === 0) continue
          const paid = p * h * Math.log2(size / belief)
          bits += paid
          atSwitches += paid
          switches += p * h
        }
      return bits
    })
    return {
      all: perStep.reduce((sum, bits) => sum + bits, 0) / steps,
      transition: atSwitches / switches,
      perStep,
    }
  }
  return {
    clock: bound((row, alphabet) => {
      let [p, ends] = [0, 0]
      for (let age = 1; age <= steps; age++) {
        const q = row[alphabet * steps + age - 1] as number
        p += q
        ends += q * hazardAt(law, age)
      }
      return ends / p
    }),
    fullHistory: bound((_, __, age) => hazardAt(law, age)),
  }
}

/**
 * What the best model pays for the letters of a batch: the floor on the very text that a model is scored on.
 * @returns −log₂ p of each letter of `y` given those before it, (B,T)
 * @throws FEP_BAD_CONFIG
 */
export function alternatingAlphabetsBits(
  partial: Partial<AlternatingAlphabets>,
  { x, y, switches }: AlternatingAlphabetsBatch,
): Float64Array {
  const task = resolveAlternatingAlphabets(partial)
  const [steps, size, law] = [task.letters - 1, task.vocabulary / 2, hazards(task.duration)]
  const within = lettersWithin(task, { x, y })
  const bits = new Float64Array(x.data.length)
  let age = 0
  for (let i = 0; i < bits.length; i++) {
    age = i % steps === 0 || switches[i - 1] === 1 ? 1 : age + 1
    const h = hazardAt(law, age)
    bits[i] = switches[i] === 1 ? Math.log2(size / h) : -Math.log2((1 - h) * (within[i] as number))
  }
  return bits
}
