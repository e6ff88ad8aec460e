/** Shares of the gap, and tables of them. */
import type { Outcome } from '../experiment.js'
import type { Run, SummaryRow } from '../results.js'
import { type Cells, cellsOf, comparisonNotes, summarizeRuns } from '../summary.js'
import type { Table } from '../table.js'
import { contenders, contendersOn } from './contenders.js'
import { CONTINUAL, mixtures } from './continual.js'
import {
  boundOf,
  continualMetrics,
  gapOf,
  pastThePaperMetrics,
  type ScoredMetric,
  scoredMetrics,
  shortOf,
} from './metrics.js'
import { conditionOf, conditions, partsOf } from './run.js'
import {
  budgetOf,
  type ComparedTask,
  comparedStream,
  comparedTasks,
  type PastThePaperSettings,
} from './settings.js'

/** Where affinity is closer to the bound than this, a share of the rest says nothing: differences count. */
export const LEAST_GAP = 0.01

/** A run with its distance from the bound, and its shares of the gap between affinity and that, of the same seed and sequences. */
function withGaps(run: Run, runs: readonly Run[]): Run {
  const { task } = partsOf(run.condition)
  if (task === CONTINUAL) return run
  const affinity = runs.find((r) => r.condition === conditionOf(task, 'affinity') && r.seed === run.seed)
  const found = scoredMetrics.flatMap((metric): [string, number][] => {
    const [ours, bound] = [run.metrics[metric] as number, run.metrics[boundOf(metric)] as number]
    const short = metric.startsWith('accuracy') ? bound - ours : ours - bound
    const from = affinity?.metrics[metric] ?? bound
    const gap = bound - from
    return [
      [shortOf(metric), short],
      ...(Math.abs(gap) < LEAST_GAP ? [] : [[gapOf(metric), (ours - from) / gap] as [string, number]]),
    ]
  })
  return { ...run, metrics: { ...run.metrics, ...Object.fromEntries(found) } }
}

/** Means over seeds. */
export const summarizePastThePaper = (runs: readonly Run[], settings: PastThePaperSettings): SummaryRow[] =>
  summarizeRuns(
    runs.map((run) => withGaps(run, runs)),
    settings,
    conditions,
    pastThePaperMetrics,
    {},
  )

const labelOf = (metric: string) => pastThePaperMetrics[metric]?.label ?? metric
const SIZES = ['parameters', 'state', 'flops'] as const

/** The shares of all tasks beside each other, then a table for each task. */
export function pastThePaperTables({ summary, settings }: Outcome<PastThePaperSettings>): Table[] {
  const cells = cellsOf(summary, pastThePaperMetrics)
  const notes = comparisonNotes(settings)
  return [
    overview('accuracyAll', cells, notes),
    overview('logLossAll', cells, notes),
    ...comparedTasks.map((task) => tableOf(task, cells, settings, notes)),
    continualTable(cells, settings, notes),
  ]
}

/** Routers down, tasks across. */
const overview = (metric: ScoredMetric, { ours }: Cells, notes: readonly string[]): Table => ({
  title: `Share of the gap from affinity to the exact filter that is closed, ${labelOf(metric)}`,
  columns: ['router', ...comparedTasks],
  rows: Object.keys(contenders).map((router) => [
    router,
    ...comparedTasks.map((task) => ours(conditionOf(task, router), gapOf(metric))),
  ]),
  notes: [
    `Empty where the gap is below ${LEAST_GAP}, or the task tells nothing that the router needs.`,
    ...notes,
  ],
})

function tableOf(
  task: ComparedTask,
  { ours }: Cells,
  settings: PastThePaperSettings,
  notes: readonly string[],
): Table {
  const columns = [...scoredMetrics.flatMap((metric) => [metric, gapOf(metric)]), ...SIZES]
  const { evaluated } = budgetOf(task, settings)
  return {
    title: `${task}: ${evaluated} sequences a run, the bound on the same ones`,
    columns: ['router', ...columns.map(labelOf)],
    rows: [
      ...contendersOn(comparedStream(task)).map((router) => [
        router,
        ...columns.map((metric) => ours(conditionOf(task, router), metric)),
      ]),
      [
        'exact filter',
        ...scoredMetrics.flatMap((metric) => [ours(conditionOf(task, 'affinity'), boundOf(metric)), '']),
        ...SIZES.map(() => ''),
      ],
    ],
    notes: [
      `Shares are of the gap from affinity to the exact filter, by seed; empty where it is below ${LEAST_GAP}. State is what a sequence carries; operations are those of one token.`,
      ...notes,
    ],
  }
}

/** The mixtures: whether anything of the first domain is left. */
function continualTable(
  { ours }: Cells,
  { domainEpochs }: PastThePaperSettings,
  notes: readonly string[],
): Table {
  const columns = [...Object.keys(continualMetrics), ...SIZES]
  return {
    title: `${CONTINUAL}: squared errors, ${domainEpochs} updates on each of three domains`,
    columns: ['mixture', ...columns.map(labelOf)],
    rows: Object.keys(mixtures).map((router) => [
      router,
      ...columns.map((metric) => ours(conditionOf(CONTINUAL, router), metric)),
    ]),
    notes: [
      'Forgetting: the error on the first domain after the last one, less that after the first. Sizes are those of gate and experts.',
      ...notes,
    ],
  }
}
