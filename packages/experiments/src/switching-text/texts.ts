/** The two texts: streams, how their losses are weighted, and their exact bounds. */
import { type Tensor, tensor } from '@fep-moe/core'
import { textOf } from '../language-model/settings.js'
import { textBoundsOf } from '../language-model/tables.js'
import { transitionWeights } from '../language-model/training.js'
import type { Bound } from '../results.js'
import { type AlternatingAlphabetsBatch, openAlternatingAlphabets } from '../tasks/alternating-alphabets.js'
import {
  alternatingAlphabetsBits,
  alternatingAlphabetsBounds,
} from '../tasks/alternating-alphabets-bounds.js'
import { hazards } from '../tasks/switching/durations.js'
import { openTwoAlphabets } from '../tasks/two-alphabets.js'
import { type TextBound, twoAlphabetsBits } from '../tasks/two-alphabets-bounds.js'
import type { SwitchingTextSettings } from './settings.js'

/** A text as models and the exact filter meet it. */
export interface SwitchingText {
  /** Opens a stream of a seed with so many sequences a batch; `name` tells those of one seed apart. */
  open(batch: number, seed: number, name?: string): { next(): AlternatingAlphabetsBatch }
  /** What the exact filter pays for the letters of a batch, (B · T). */
  bits(batch: AlternatingAlphabetsBatch): Float64Array
  /** Weights of the losses in training (B,T). */
  weights(): Tensor
  /** Predicted letters of a sequence T. */
  readonly steps: number
  /** Largest age of an alphabet that says more of a switch than the one before; 0 where steps say it. */
  readonly ages: number
  /** Floors, by what a model sees. */
  bounds(): Readonly<Record<string, TextBound>>
}

/**
 * `once`: the paper's text, the very bytes of the experiment `language-model`, with its weight on the step before the switch.
 * `often`: an alphabet lasts as `settings.duration` says; all steps weigh the same.
 */
export const texts = {
  once: (settings: SwitchingTextSettings): SwitchingText => {
    const task = textOf(settings)
    const steps = task.letters - 1
    return {
      open: (batch, seed, name) => {
        const stream = openTwoAlphabets({ ...task, batch }, seed, name)
        const switches = Uint8Array.from({ length: batch * steps }, (_, i) =>
          i % steps === task.switchAt - 1 ? 1 : 0,
        )
        return { next: () => ({ ...stream.next(), switches }) }
      },
      bits: (batch) => twoAlphabetsBits(task, batch),
      weights: () => transitionWeights(settings),
      steps,
      ages: 0,
      bounds: () => ({ ...textBoundsOf(settings) }),
    }
  },
  often: (settings: SwitchingTextSettings): SwitchingText => {
    const { switchAt: _, ...letters } = textOf(settings)
    const task = { ...letters, duration: settings.duration }
    const steps = task.letters - 1
    return {
      open: (batch, seed, name) => openAlternatingAlphabets({ ...task, batch }, seed, name),
      bits: (batch) => alternatingAlphabetsBits(task, batch),
      weights: () => tensor(new Float32Array(task.batch * steps).fill(1), [task.batch, steps]),
      steps,
      ages: hazards(task.duration).length,
      bounds: () => ({ ...alternatingAlphabetsBounds(task) }),
    }
  },
} as const

/** Name of a text. */
export type TextName = keyof typeof texts

/** Names of {@link texts}. */
export const textNames = Object.keys(texts) as TextName[]

/** Bounds `TEXT SEES` on `bpcAll` and `bpcTransition`. */
export const switchingTextBounds = (settings: SwitchingTextSettings): Bound[] =>
  textNames.flatMap((text) =>
    Object.entries(texts[text](settings).bounds()).flatMap(([sees, { all, transition }]) => [
      { name: `${text} ${sees}`, metric: 'bpcAll', value: all },
      { name: `${text} ${sees}`, metric: 'bpcTransition', value: transition },
    ]),
  )
