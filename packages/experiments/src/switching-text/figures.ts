/** Bits around a switch and by the age of an alphabet, beside the exact filter; weight of the expert of the second alphabet. */
import type { Outcome } from '../experiment.js'
import { type Figure, type Panel, type Series, seriesOverSeeds } from '../figure.js'
import { gateNames } from './conditions.js'
import { AROUND } from './scoring.js'
import type { SwitchingTextSettings } from './settings.js'
import { type TextName, textNames } from './texts.js'

const TITLES: Readonly<Record<TextName, string>> = { once: 'changes once', often: 'changes often' }

/** All figures of the experiment. */
export function switchingTextFigures({ runs, settings }: Outcome<SwitchingTextSettings>): Figure[] {
  const { switchAt, seeds, letters } = settings
  const bands = seeds.length > 1 ? ' Bands are ± one standard deviation over seeds.' : ''
  const lines = (text: TextName, series: string, xs?: readonly number[]): Series[] =>
    gateNames.map((name, slot) =>
      seriesOverSeeds(runs, `${text} ${name}`, series, { name, slot, ...(xs && { xs }) }),
    )
  // All gates of a seed are scored on the same letters, so any of them has the filter's.
  const bound = (text: TextName, series: string, xs?: readonly number[]): Series => ({
    ...seriesOverSeeds(runs, `${text} ${gateNames[0]}`, series, {
      name: 'exact filter',
      style: 'bound',
      slot: gateNames.length,
      ...(xs && { xs }),
    }),
  })
  const around = textNames.map((text): Panel => {
    const xs = runs.find(({ condition }) => condition.startsWith(`${text} `))?.series.aroundAt ?? []
    return { title: TITLES[text], series: [...lines(text, 'around', xs), bound(text, 'aroundBound', xs)] }
  })
  const ages = runs.find(({ series }) => series.byAge)?.series.byAge?.map((_, i) => i + 1) ?? []
  const near = ({ points, ...series }: Series): Series => ({
    ...series,
    points: points.filter(({ x }) => Math.abs(x) <= AROUND + 1),
  })
  const fromSwitch = Array.from({ length: letters - 1 }, (_, t) => t - (switchAt - 1))
  return [
    {
      id: 'bits-around-switch',
      title: 'Bits per letter around a switch',
      caption: `Mean −log₂ of the probability of a letter by its distance from the first letter of an alphabet, at 0. The exact filter is scored on the same letters. Where the time of a switch is certain nothing is paid but the choice of a letter; where it is not, every step at which it was possible costs something.${bands}`,
      x: { label: 'letters from the switch', domain: [-AROUND, AROUND] },
      y: { label: 'bits per letter' },
      panels: around,
    },
    {
      id: 'bits-by-age',
      title: 'Bits per letter by how long the alphabet has lasted',
      caption: `Text that changes often: what is paid for the letter after the a-th of its alphabet, whether it is one more of them or the first of the other. Only who counts from the last switch can be near the exact filter at every age.${bands}`,
      x: { label: 'letters so far of the alphabet', domain: [1, Math.max(2, ages.length)] },
      y: { label: 'bits per letter' },
      panels: [
        {
          title: '',
          series: [...lines('often', 'byAge', ages), bound('often', 'byAgeBound', ages)],
        },
      ],
    },
    {
      id: 'weight-of-second-expert',
      title: 'Weight of the expert of the second alphabet around the switch',
      caption: `Text that changes once: mean weight of the expert whose weight rises most. A gate that knows when the switch comes is low at −1 and high at 0. A belief gate tells alphabets apart by states, which need not be experts.${bands}`,
      x: { label: 'letters from the switch', domain: [-AROUND - 1, AROUND + 1] },
      y: { label: 'gate mass (mean weight)', domain: [0, 1] },
      panels: [{ title: '', series: lines('once', 'weightB', fromSwitch).map(near) }],
    },
  ]
}
