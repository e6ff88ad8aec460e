/** The language model's figures. */
import type { Outcome } from '../experiment.js'
import { type Figure, type Series, seriesOverSeeds } from '../figure.js'
import { languageModelConditions } from './conditions.js'
import type { LanguageModelSettings } from './settings.js'
import { textBoundsOf } from './tables.js'

/** Bits per letter and gate weight by position, around the switch and as a whole, and the learned decays. */
export function languageModelFigures({ runs, settings }: Outcome<LanguageModelSettings>): Figure[] {
  const { letters, switchAt, dim, conditions = Object.keys(languageModelConditions) } = settings
  const { stateless, fullHistory } = textBoundsOf(settings)
  const lines = (of: string) => conditions.map((c, slot) => seriesOverSeeds(runs, c, of, { slot }))
  const bound = (name: string, values: readonly number[], slot: number): Series => ({
    name,
    style: 'bound',
    slot,
    points: values.map((y, x) => ({ x, y })),
  })
  const mark = { axis: 'x' as const, at: switchAt - 1, label: 'predicts the first letter after the switch' }
  const seeds = settings.seeds.length > 1 ? ' Bands are ± one standard deviation over seeds.' : ''
  const step = { label: 'step t', domain: [0, letters - 2] as const }
  return [
    {
      id: 'bits-per-letter',
      title: 'Bits per letter by position',
      caption: `Mean −log₂ of the probability of the next letter. The alphabet changes once, always at the same letter. The loss counts the step before the change ${settings.transitionWeight} times, so a gate without memory pays on every step before it for being ready. The lower bound is that of a model that sees all letters so far.${seeds}`,
      x: step,
      y: { label: 'bits per letter' },
      panels: [
        {
          title: '',
          series: [
            ...lines('bits'),
            bound('bound: x_t only', stateless.perStep, 5),
            bound('bound: all letters so far', fullHistory.perStep, 6),
          ],
          marks: [mark],
        },
      ],
    },
    {
      id: 'weight-of-second-expert',
      title: 'Weight of the expert of the second alphabet by position',
      caption: `Mean gate weight of the expert whose weight rises most from the first part to the second: p_B at t = ${switchAt - 1}. A gate that knows when the switch comes jumps there; one that is as high at the step before does not foresee it.${seeds}`,
      x: step,
      y: { label: 'gate mass (mean weight)', domain: [0, 1] },
      panels: [{ title: '', series: lines('weightB'), marks: [mark] }],
    },
    {
      id: 'learned-beta',
      title: 'Learned decay per dimension',
      caption: `β = σ(β_raw) after training; all start at 0.9.${seeds.replace('Bands', 'Bars')}`,
      x: { label: 'dimension', domain: [-0.5, dim - 0.5] },
      y: { label: 'decay β per step', domain: [0, 1] },
      panels: [
        {
          title: '',
          series: conditions.flatMap((c, slot) =>
            c === 'standard' ? [] : [seriesOverSeeds(runs, c, 'beta', { style: 'dots', slot })],
          ),
          marks: [{ axis: 'y', at: 0.9, label: 'start' }],
        },
      ],
    },
  ]
}
