/** Tables 2 and 3, and what Π's speed costs. */
import type { Outcome } from '../experiment.js'
import { cellsOf, comparisonNotes, describeSeeds } from '../summary.js'
import type { Table } from '../table.js'
import { irreducible, precisionBounds } from './bounds.js'
import { EXPERTS, PRINTED, precisionAt, precisionMetrics } from './metrics.js'
import { type PrecisionSettings, precisionConditions, SPEEDS } from './settings.js'

const TABLE_2 = ['static-affinity', 'static-precision', 'shifting-affinity', 'shifting-precision'] as const

const LEAST = {
  bestWeights: 'perfect experts, weights ∝ 1/σ²',
  bestExpert: 'the most reliable expert alone',
  equalWeights: 'all experts alike',
} as const

/** All tables of the experiment. */
export function precisionTables({ summary, settings }: Outcome<PrecisionSettings>): Table[] {
  const { ours, published, pair, agrees } = cellsOf(summary, precisionMetrics)
  const { epochs, batch, shiftAt, scoredEpochs, quick } = settings
  const bounds = precisionBounds(settings)
  const bound = (name: string, metric: string) =>
    bounds.find((b) => b.name === name && b.metric === metric)?.value ?? 0
  const end = [...EXPERTS.map((e) => `precision${e}`), 'precisionContrast']
  const printed = PRINTED.filter((offset) => ours('shifting-precision', precisionAt(0, offset)) !== '')
  return [
    {
      title: `Table 2: mean squared error; ${describeSeeds(settings)}, ${epochs} steps of ${batch} tokens`,
      columns: ['condition', 'early', 'paper (one run)', 'final', 'paper (one run)', 'agrees'],
      rows: TABLE_2.map((c) => [
        c,
        ...pair(c, 'earlyLoss'),
        ...pair(c, 'finalLoss'),
        agrees(c, 'earlyLoss', 'finalLoss'),
      ]),
      notes: [
        `Means over the first and the last ${scoredEpochs} steps. «shifting»: experts 0 and 2 exchange their noise at step ${shiftAt}.`,
        ...comparisonNotes(
          settings,
          'agrees: the published run lies within 3 of our standard deviations and half its last digit.',
        ),
      ],
    },
    {
      title: 'Π at the end, noise never swapped',
      columns: ['of', 'ours', 'paper (one run)', 'perfect experts', 'agrees'],
      rows: end.map((metric) => [
        precisionMetrics[metric]?.label ?? metric,
        ...pair('static-precision', metric),
        bound('perfectExperts', metric).toFixed(precisionMetrics[metric]?.digits ?? 3),
        agrees('static-precision', metric),
      ]),
      notes: [
        `An expert that predicts as well as the task allows errs by ${irreducible(settings)} + σ²: the last but one column.`,
      ],
    },
    {
      title: `Table 3: Π around the swap at step ${shiftAt}; ours, and the paper's one run in brackets`,
      columns: ['after step', ...EXPERTS.map((e) => `Π of expert ${e}`), 'agrees'],
      rows: printed.map((offset) => [
        String(shiftAt + offset),
        ...EXPERTS.map((e) => {
          const metric = precisionAt(e, offset)
          const theirs = quick ? '' : published('shifting-precision', metric)
          return `${ours('shifting-precision', metric)}${theirs && ` (${theirs})`}`
        }),
        agrees('shifting-precision', ...EXPERTS.map((e) => precisionAt(e, offset))),
      ]),
      notes: [
        `Π of experts 0 and 2 has crossed after step ${ours('shifting-precision', 'crossoverStep')}. The paper prints every tenth step or fewer; its «crossover at 520» is the first printed one after it.`,
      ],
    },
    {
      title: 'The speed of Π: when it has crossed after the swap, and how much it wavers before',
      columns: ['m', 'crossed after', 'from m alone', 'relative noise of Π', 'from m alone', 'final loss'],
      rows: SPEEDS.map((c) => [
        String(precisionConditions[c].momentum),
        ours(c, 'crossoverStep'),
        String(bound(c, 'crossoverStep')),
        ours(c, 'precisionNoise'),
        bound(c, 'precisionNoise').toFixed(4),
        ours(c, 'finalLoss'),
      ]),
      notes: [
        'From m alone: the first n with mⁿ < ½, and √(2/B · (1 − m)/(1 + m)) for B tokens a step.',
        'Π crosses later than m says, because the expert that becomes reliable was hardly trained while its Π was low.',
      ],
    },
    {
      title: 'Exact mean squared error of perfect experts, by the weights of the gate',
      columns: ['weights', 'loss'],
      rows: Object.entries(LEAST).map(([name, text]) => [text, bound(name, 'finalLoss').toFixed(4)]),
    },
  ]
}
