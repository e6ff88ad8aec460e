/** What a trained model and the exact filter pay for the same letters: on average, at switches, around them, and by age. */
import type { Backend, LanguageModel, Params } from '@fep-moe/core'
import { bitsOf, runText } from '../language-model/scoring.js'
import type { AlternatingAlphabetsBatch } from '../tasks/alternating-alphabets.js'
import type { SwitchingText } from './texts.js'

/** Letters before and after a switch that are shown. */
export const AROUND = 7

/** Means in bits per letter. */
export interface LetterScores {
  readonly all: number
  /** First letters of an alphabet. */
  readonly transition: number
  /** By distance from a switch, as far as there are such letters. */
  readonly around: readonly { readonly at: number; readonly bits: number }[]
  /** Entry a − 1: what is paid for the letter after the a-th of its alphabet. */
  readonly byAge: readonly number[]
}

/** Scores of a model and of the filter on the same letters. */
export interface SwitchingTextScores {
  readonly model: LetterScores
  readonly bound: LetterScores
  /** Mean weight of each expert, by expert, then by step. */
  readonly weights: readonly (readonly number[])[]
}

/** Sums and counts under an index. */
class Means {
  private readonly sums: number[] = []
  private readonly counts: number[] = []

  add(i: number, value: number): void {
    this.sums[i] = (this.sums[i] ?? 0) + value
    this.counts[i] = (this.counts[i] ?? 0) + 1
  }

  /** By index; NaN where there was nothing. */
  means(): number[] {
    return Array.from(this.sums, (sum = 0, i) => sum / (this.counts[i] ?? 0))
  }
}

/**
 * Collects what is paid for letters, batch after batch.
 * @param steps letters of a row
 * @param ages largest age to tell apart; 0: none
 */
export function letterScorer(
  steps: number,
  ages: number,
): {
  add(bits: Float64Array, switches: Uint8Array): void
  scores(): LetterScores
} {
  const [all, transition, around, byAge] = [new Means(), new Means(), new Means(), new Means()]
  return {
    add: (bits, switches) => {
      let age = 0
      bits.forEach((paid, i) => {
        const t = i % steps
        age = t === 0 || switches[i - 1] === 1 ? 1 : age + 1
        all.add(0, paid)
        if (ages > 0) byAge.add(Math.min(age, ages) - 1, paid)
        if (switches[i] !== 1) return
        transition.add(0, paid)
        for (let k = -AROUND; k <= AROUND; k++)
          if (t + k >= 0 && t + k < steps) around.add(k + AROUND, bits[i + k] as number)
      })
    },
    scores: () => ({
      all: all.means()[0] as number,
      transition: transition.means()[0] as number,
      around: around
        .means()
        .map((mean, i) => ({ at: i - AROUND, bits: mean }))
        .filter(({ bits }) => !Number.isNaN(bits)),
      byAge: byAge.means(),
    }),
  }
}

/** Scores a model on the next batches of a stream, and the exact filter on the same. */
export async function scoreSwitchingText(
  backend: Backend,
  model: LanguageModel,
  params: Params,
  text: SwitchingText,
  { next }: { next(): AlternatingAlphabetsBatch },
  batches: number,
): Promise<SwitchingTextScores> {
  const { experts } = model.gate
  const weights = new Means()
  const { steps } = text
  const scorers = { model: letterScorer(steps, text.ages), bound: letterScorer(steps, text.ages) }
  for (let n = 0; n < batches; n++) {
    const batch = next()
    const paid = new Float64Array(batch.y.data.length)
    await runText(backend, model, params, batch, (result, y, first) => {
      paid.set(bitsOf(result.logits, y), first * steps)
      result.weights.data.forEach((w: number, k: number) => {
        weights.add((k % experts) * steps + (Math.floor(k / experts) % steps), w)
      })
    })
    scorers.model.add(paid, batch.switches)
    scorers.bound.add(text.bits(batch), batch.switches)
  }
  const flat = weights.means()
  return {
    model: scorers.model.scores(),
    bound: scorers.bound.scores(),
    weights: Array.from({ length: experts }, (_, e) => flat.slice(e * steps, (e + 1) * steps)),
  }
}
