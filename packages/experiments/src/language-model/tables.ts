/** The language model's tables: Table 6, the paired gains, the exact bounds. */
import type { Outcome } from '../experiment.js'
import type { Bound, SummaryRow } from '../results.js'
import { agreementCell, formatEstimate, type Table } from '../table.js'
import { type TwoAlphabetsBounds, twoAlphabetsBounds } from '../tasks/two-alphabets-bounds.js'
import { type LanguageModelSettings, textOf } from './settings.js'
import { languageModelMetrics } from './summary.js'

/** The bounds of settings. */
export const textBoundsOf = (settings: LanguageModelSettings): TwoAlphabetsBounds =>
  twoAlphabetsBounds(textOf(settings), settings.transitionWeight)

/** Bounds by name and metric: `stateless`, `fullHistory` on `bpcAll` and `bpcTransition`. */
export const languageModelBounds = (settings: LanguageModelSettings): Bound[] =>
  Object.entries(textBoundsOf(settings)).flatMap(([name, { all, transition }]) => [
    { name, metric: 'bpcAll', value: all },
    { name, metric: 'bpcTransition', value: transition },
  ])

const digitsOf = (metric: string): { readonly digits?: number } => {
  const { digits } = languageModelMetrics[metric as keyof typeof languageModelMetrics] as { digits?: number }
  return digits === undefined ? {} : { digits }
}

const TABLE_6 = ['bpcAll', 'bpcTransition', 'pB', 'pBMid', 'k99'] as const

/** Table 6, what each gate gains, and what the text allows. */
export function languageModelTables({ summary, settings }: Outcome<LanguageModelSettings>): Table[] {
  const find = (condition: string, metric: string) =>
    summary.find((row) => row.condition === condition && row.metric === metric)
  const cells = (row: SummaryRow | undefined, format = {}) => [
    formatEstimate(row?.ours ?? null, format),
    formatEstimate(row?.published ?? null, format),
  ]
  const conditions = [...new Set(summary.map((row) => row.condition))]
  const t = settings.switchAt - 1
  const gains = summary.filter(({ metric }) => metric.endsWith('Gain'))
  const paper = 'paper'
  return [
    {
      title: `Bits per letter (BPC) and gate mass on the expert of the second alphabet (p_B); ${describe(settings)}`,
      columns: [
        'condition',
        'BPC all',
        paper,
        `BPC t=${t}`,
        paper,
        `p_B t=${t}`,
        paper,
        `p_B t=${t - 1}`,
        'p_B mid',
        paper,
        'K(99 %)',
        paper,
        'agrees',
      ],
      rows: conditions.map((c) => {
        const rows = TABLE_6.map((m) => find(c, m))
        const pairs = TABLE_6.map((m, i) => cells(rows[i], digitsOf(m)))
        const before = formatEstimate(find(c, 'pBBefore')?.ours ?? null)
        return [c, ...pairs.slice(0, 3).flat(), before, ...pairs.slice(3).flat(), agreementCell(rows)]
      }),
      notes: [
        settings.quick
          ? 'A quick run: these figures are not compared with the published ones.'
          : 'agrees: every difference is at most max(.01 × range, 3 √(s₁²/n₁ + s₂²/n₂)).',
        `Step t = ${t} predicts the first letter of the second alphabet. mid: mean of steps ${settings.switchAt + 2}..${settings.switchAt + 19}.`,
        ...(conditions.includes('beta+direct')
          ? [
              'beta+direct dispatches each token on the prediction of the next one; the paper has no row for it.',
            ]
          : []),
      ],
    },
    {
      title: `Change against standard at t = ${t}, paired by seed`,
      columns: ['condition', 'of', 'ours', paper, 'agrees'],
      rows: gains.map((row) => [
        row.condition,
        row.metric === 'pBGain' ? 'p_B' : 'BPC',
        ...cells(row, { signed: true }),
        agreementCell([row]),
      ]),
    },
    {
      title: 'Exact bounds on bits per letter, by what a model sees',
      columns: ['sees', 'BPC all', `BPC t=${t}`],
      rows: Object.entries(textBoundsOf(settings)).map(([name, { all, transition }]) => [
        SEES[name as keyof TwoAlphabetsBounds],
        all.toFixed(3),
        transition.toFixed(3),
      ]),
      notes: [
        `x_t only: what minimizes the loss with weight ${settings.transitionWeight} on step ${t}; another weight would move bits between the steps.`,
      ],
    },
  ]
}

const SEES: Readonly<Record<keyof TwoAlphabetsBounds, string>> = {
  stateless: 'x_t only (stateless)',
  fullHistory: 'x_0..x_t',
}

function describe({ seeds, epochs, batch }: LanguageModelSettings): string {
  const list =
    seeds.length > 8
      ? `${seeds.length} seeds`
      : `${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`
  return `${list}, ${epochs} epochs of ${batch} sequences`
}
