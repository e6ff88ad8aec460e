/** Summary and tables: bits beside the exact bounds, for each text. */
import type { Outcome } from '../experiment.js'
import type { Run, SummaryRow } from '../results.js'
import { cellsOf, describeSeeds, summarizeRuns } from '../summary.js'
import type { Table } from '../table.js'
import { gateNames, switchingTextConditions } from './conditions.js'
import { type SwitchingTextMetric, switchingTextRunMetrics } from './run.js'
import type { SwitchingTextSettings } from './settings.js'
import { type TextName, textNames, texts } from './texts.js'

/** Means over seeds; nothing of it was published. */
export const summarizeSwitchingText = (runs: readonly Run[], settings: SwitchingTextSettings): SummaryRow[] =>
  summarizeRuns(runs, settings, switchingTextConditions, switchingTextRunMetrics, {})

const BITS = ['bpcAll', 'excessAll', 'bpcTransition', 'excessTransition'] as const
const MASS = ['pBBefore', 'pB', 'pBMid'] as const
const SIZE = ['parameters', 'state'] as const

const SEES: Readonly<Record<string, string>> = {
  stateless: 'bound: x_t only',
  clock: 'bound: x_t and t',
  fullHistory: 'bound: x_0..x_t',
}

/** A table for each text. */
export function switchingTextTables({ summary, settings }: Outcome<SwitchingTextSettings>): Table[] {
  const { ours } = cellsOf(summary, switchingTextRunMetrics)
  const { epochs, batch, letters, switchAt, transitionWeight, scoredBatches, scoredBatch } = settings
  const titles: Readonly<Record<TextName, string>> = {
    once: `The alphabet changes once, at letter ${switchAt} of ${letters}`,
    often: 'The alphabet changes often, at random',
  }
  const notes: Readonly<Record<TextName, readonly string[]>> = {
    once: [
      `The loss counts the step before the change ${transitionWeight} times, as in the paper. p_B: weight of the expert whose weight rises most from the first alphabet to the second; a belief gate need not give an alphabet an expert of its own. mid: mean of steps ${switchAt + 2}..${switchAt + 19}.`,
    ],
    often: [
      'All steps weigh the same in the loss. The first stay starts with the text, so that a clock knows about when the first switches are due, and less and less of later ones.',
    ],
  }
  return textNames.map((text) => {
    const columns: readonly SwitchingTextMetric[] = [...BITS, ...(text === 'once' ? MASS : []), ...SIZE]
    const bounds = Object.entries(texts[text](settings).bounds())
    return {
      title: `${titles[text]}; ${describeSeeds(settings)}, ${epochs} epochs of ${batch} sequences`,
      columns: ['gate', ...columns.map((metric) => switchingTextRunMetrics[metric].label)],
      rows: [
        ...gateNames.map((gate) => [gate, ...columns.map((metric) => ours(`${text} ${gate}`, metric))]),
        ...bounds.map(([sees, { all, transition }]) => [
          SEES[sees] as string,
          all.toFixed(4),
          '',
          transition.toFixed(4),
          ...columns.slice(3).map(() => ''),
        ]),
      ],
      notes: [
        ...notes[text],
        `Bits per letter (BPC). Scored on ${scoredBatches} batches of ${scoredBatch} fresh sequences, as is the exact filter that differences are taken to.`,
      ],
    }
  })
}
