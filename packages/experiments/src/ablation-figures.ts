/** The ablation's figures. */
import { boundsOf } from './domain-switch/bounds.js'
import type { DomainSwitchSettings } from './domain-switch/settings.js'
import type { Outcome } from './experiment.js'
import { type Figure, type Series, seriesOverSeeds } from './figure.js'

/** Conditions whose lines differ: Π changes nothing, and without memory anticipation does not change the choice. */
const SHOWN = ['baseline', 'beta', 'ant', 'beta+ant', 'oracle']

/** Accuracy and gate mass per step, gate weights over time, the membrane and its decays. */
export function ablationFigures({ runs, settings }: Outcome<DomainSwitchSettings>): Figure[] {
  const { steps, switchAt } = settings
  const { stateless, fullHistory } = boundsOf(settings)
  const series = (condition: string, of: string) =>
    seriesOverSeeds(runs, condition, of, { slot: SHOWN.indexOf(condition) })
  const named = (condition: string, of: string, name: string) =>
    seriesOverSeeds(runs, condition, of, { name })
  const bound = (name: string, values: readonly number[], slot: number): Series => ({
    name,
    style: 'bound',
    slot,
    points: values.map((y, x) => ({ x, y })),
  })
  const bounds = [
    bound('bound: x_t only', stateless.perStep, 5),
    bound('bound: all tokens so far', fullHistory.perStep, 6),
  ]
  const last = [{ axis: 'x' as const, at: switchAt - 1, label: 'last step before the switch' }]
  const step = {
    label: 'step t',
    domain: [0, steps - 2] as const,
    ticks: Array.from({ length: steps - 1 }, (_, t) => t),
  }
  const seeds = settings.seeds.length > 1 ? ' Bands are ± one standard deviation over seeds.' : ''
  return [
    {
      id: 'accuracy-per-step',
      title: 'Accuracy per step',
      caption: `Share of sequences whose largest logit is that of the expert for the next token. Every gate without memory falls to the stateless bound at t = ${switchAt - 1}; the history alone would allow an accuracy of ${fullHistory.transition.toFixed(3)} there.${seeds}`,
      x: step,
      y: { label: 'accuracy (share of sequences)', domain: [0, 1] },
      panels: [
        {
          title: '',
          series: [...SHOWN.filter((c) => c !== 'ant').map((c) => series(c, 'accuracy')), ...bounds],
          marks: last,
        },
      ],
    },
    {
      id: 'mass-per-step',
      title: 'Gate mass per step',
      caption: `Mean softmax weight on the right expert. This, not accuracy, is the probability that a gate assigns.${seeds}`,
      x: step,
      y: { label: 'gate mass (mean weight)', domain: [0, 1] },
      panels: [{ title: '', series: SHOWN.map((c) => series(c, 'mass')), marks: last }],
    },
    {
      id: 'weights-over-time',
      title: 'Where the gate sends its mass over time',
      caption: `Mean weight of each expert in sequences that begin in the first domain. Expert 0 is right until t = ${switchAt - 2}, expert 2 from t = ${switchAt - 1} on, because the target is the domain of the next token; experts 1 and 3 are never right.`,
      x: step,
      y: { label: 'gate mass (mean weight)', domain: [0, 1] },
      panels: ['baseline', 'beta', 'beta+ant', 'oracle'].map((c) => ({
        title: c,
        series: Array.from({ length: settings.experts }, (_, e) => named(c, `weight${e}`, `expert ${e}`)),
        marks: [{ axis: 'x' as const, at: switchAt - 1, label: '' }],
      })),
    },
    {
      id: 'membrane',
      title: 'The membrane at the switch',
      caption: `Mean membrane h_t over the dimensions of either domain, in sequences that begin in the first one. Before the switch at t = ${switchAt} it grows by less at every step while the noise it has summed up grows: it tells the domain well and the step badly.${seeds}`,
      x: { label: 'step t', domain: [0, steps - 1], ticks: Array.from({ length: steps }, (_, t) => t) },
      y: { label: 'membrane h (units of the signal)' },
      panels: ['beta', 'beta+ant'].map((c) => ({
        title: c,
        series: [
          named(c, 'membraneFirst', 'dimensions of the first domain'),
          named(c, 'membraneSecond', 'dimensions of the second domain'),
        ],
        marks: [{ axis: 'x' as const, at: switchAt, label: 'switch' }],
      })),
    },
    {
      id: 'learned-beta',
      title: 'Learned decay per dimension',
      caption: `β = σ(β_raw) after training; all start at 0.9. The first half of the dimensions carries the first domain.${seeds.replace('Bands', 'Bars')}`,
      x: { label: 'dimension', domain: [-0.5, settings.dim - 0.5] },
      y: { label: 'decay β per step', domain: [0, 1] },
      panels: [
        {
          title: '',
          series: ['beta', 'beta+ant'].map((c) =>
            seriesOverSeeds(runs, c, 'beta', { style: 'dots', slot: SHOWN.indexOf(c) }),
          ),
          marks: [{ axis: 'y', at: 0.9, label: 'start' }],
        },
      ],
    },
  ]
}
