/** The ablation's tables. An accuracy is never called a probability: gate mass has its own column. */
import { ablationMetrics } from './ablation-summary.js'
import { boundsTable } from './domain-switch/bounds.js'
import type { DomainSwitchSettings } from './domain-switch/settings.js'
import type { Outcome } from './experiment.js'
import type { SummaryRow } from './results.js'
import { agreementCell, formatEstimate, type Table } from './table.js'

/** Tables 4 and 5, the gains, and the exact bounds. */
export function ablationTables({ summary, settings }: Outcome<DomainSwitchSettings>): Table[] {
  const find = (condition: string, metric: string) =>
    summary.find((row) => row.condition === condition && row.metric === metric)
  const cells = (row: SummaryRow | undefined, format = {}) => [
    formatEstimate(row?.ours ?? null, format),
    formatEstimate(row?.published ?? null, format),
  ]
  const conditions = [...new Set(summary.map((row) => row.condition))]
  const t = settings.switchAt - 1
  const compared = settings.quick
    ? ['A quick run: these figures are not compared with the published ones.']
    : [
        'agrees: every difference is at most max(.01, 3 √(s₁²/n₁ + s₂²/n₂)).',
        'Published gate mass: the paper prints none; these are runs of its own PyTorch code.',
      ]
  const main: Table = {
    title: `Accuracy (argmax) and gate mass (softmax weight on the right expert); ${describe(settings)}`,
    columns: [
      'condition',
      'acc all',
      'paper',
      `acc t=${t}`,
      'paper',
      `mass t=${t}`,
      'prototype',
      'K(99 %)',
      'agrees',
    ],
    rows: conditions.map((c) => {
      const judged = ['accuracyAll', 'accuracyTransition', 'massTransition'].map((m) => find(c, m))
      const k = find(c, 'k99')?.ours ?? null
      return [
        c,
        ...judged.flatMap((row) => cells(row)),
        formatEstimate(k, { digits: 1 }),
        agreementCell(judged),
      ]
    }),
    notes: compared,
  }
  const derived = summary.filter((row) => /Gain$|Interaction$|Ratio$|OracleShare$/.test(row.metric))
  return [
    main,
    {
      title: `Gain over the baseline at t = ${t}, paired by seed`,
      columns: ['condition', 'of', 'ours', 'published', 'agrees'],
      rows: derived.map((row) => {
        const { label, digits } = definition(row.metric)
        const signed = /Gain$|Interaction$/.test(row.metric)
        return [
          row.condition,
          label,
          ...cells(row, { signed, ...(digits === undefined ? {} : { digits }) }),
          agreementCell([row]),
        ]
      }),
      notes: ['Interaction: (β+Ant) − β − Ant.'],
    },
    boundsTable(settings),
  ]
}

const definition = (metric: string): { readonly label: string; readonly digits?: number } =>
  ablationMetrics[metric as keyof typeof ablationMetrics]

function describe({ seeds, epochs, batch }: DomainSwitchSettings): string {
  const list =
    seeds.length > 8
      ? `${seeds.length} seeds`
      : `${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`
  return `${list}, ${epochs} epochs of ${batch} sequences`
}
