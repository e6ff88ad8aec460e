/** The ablation's tables. An accuracy is never called a probability: gate mass has its own column. */
import type { AblationSettings } from './ablation.js'
import type { SummaryRow } from './results.js'
import { formatEstimate, type Table } from './table.js'
import { domainSwitchBounds, type StepBound } from './tasks/domain-switch-bounds.js'

const mark = (rows: readonly (SummaryRow | undefined)[]): string => {
  const judged = rows.filter((row) => row && row.agrees !== null)
  if (judged.length === 0) return ''
  return judged.every((row) => row?.agrees) ? 'yes' : 'NO'
}

/** Tables 4 and 5, the gains, and the exact bounds. */
export function ablationReport(summary: readonly SummaryRow[], settings: AblationSettings): Table[] {
  const find = (condition: string, metric: string) =>
    summary.find((row) => row.condition === condition && row.metric === metric)
  const cells = (row: SummaryRow | undefined, signed = false) => [
    formatEstimate(row?.ours ?? null, { signed }),
    formatEstimate(row?.published ?? null, { signed }),
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
      return [c, ...judged.flatMap((row) => cells(row)), formatEstimate(k, { digits: 1 }), mark(judged)]
    }),
    notes: compared,
  }
  const gains = summary.filter((row) => row.metric.endsWith('Gain') || row.metric.endsWith('Interaction'))
  const kinds: Readonly<Record<string, string>> = {
    accuracyTransitionGain: 'accuracy',
    accuracyTransitionInteraction: 'accuracy, interaction (β+Ant) − β − Ant',
    massTransitionInteraction: 'gate mass, interaction (β+Ant) − β − Ant',
  }
  return [
    main,
    {
      title: `Gain over the baseline at t = ${t}, paired by seed`,
      columns: ['condition', 'of', 'ours', 'published', 'agrees'],
      rows: gains.map((row) => [
        row.condition,
        kinds[row.metric] ?? row.metric,
        ...cells(row, true),
        mark([row]),
      ]),
    },
    boundsTable(settings, t),
  ]
}

function boundsTable(settings: AblationSettings, t: number): Table {
  const { batch, steps, dim, experts, switchAt, noise, signal } = settings
  const bounds = domainSwitchBounds({ batch, steps, dim, experts, switchAt, noise, signal })
  const row = (name: string, { all, transition }: StepBound) => [name, all.toFixed(4), transition.toFixed(4)]
  return {
    title: 'Exact bounds on accuracy, by what a gate sees',
    columns: ['sees', 'acc all', `acc t=${t}`],
    rows: [
      row('x_t only (stateless)', bounds.stateless),
      row('x_{t+1} only (the oracle)', bounds.nextToken),
      row('x_0..x_t and the step', bounds.fullHistory),
    ],
  }
}

function describe({ seeds, epochs, batch }: AblationSettings): string {
  const list =
    seeds.length > 8
      ? `${seeds.length} seeds`
      : `${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`
  return `${list}, ${epochs} epochs of ${batch} sequences`
}
