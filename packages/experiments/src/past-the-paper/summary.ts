/** Shares of the gap, and tables of them. */
import type { Outcome } from '../experiment.js'
import type { Run, SummaryRow } from '../results.js'
import { cellsOf, summarizeRuns } from '../summary.js'
import type { Table } from '../table.js'
import { contendersOn } from './contenders.js'
import { boundOf, conditions, gapOf, partsOf, pastThePaperMetrics, scoredMetrics } from './run.js'
import { comparedStream, comparedTasks, type PastThePaperSettings } from './settings.js'

/** Where affinity is closer to the bound than this, a share of the rest says nothing: differences count. */
export const LEAST_GAP = 0.01

/** A run with its shares of the gap between affinity and the bound, both of the same seed and sequences. */
function withGaps(run: Run, runs: readonly Run[]): Run {
  const { task } = partsOf(run.condition)
  const affinity = runs.find(({ condition, seed }) => condition === `${task}/affinity` && seed === run.seed)
  if (!affinity) return run
  const gaps = scoredMetrics.flatMap((metric): [string, number][] => {
    const from = affinity.metrics[metric] as number
    const gap = (run.metrics[boundOf(metric)] as number) - from
    return Math.abs(gap) < LEAST_GAP ? [] : [[gapOf(metric), ((run.metrics[metric] as number) - from) / gap]]
  })
  return { ...run, metrics: { ...run.metrics, ...Object.fromEntries(gaps) } }
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

/** A table for each task. */
export function pastThePaperTables({ summary, settings }: Outcome<PastThePaperSettings>): Table[] {
  const { ours } = cellsOf(summary, pastThePaperMetrics)
  const columns = [
    ...scoredMetrics.flatMap((metric) => [metric, gapOf(metric)]),
    'parameters',
    'state',
    'flops',
  ]
  return comparedTasks.map((task) => ({
    title: `${task}: ${settings.evaluated} sequences a run, the bound on the same ones`,
    columns: ['router', ...columns.map((metric) => pastThePaperMetrics[metric]?.label ?? metric)],
    rows: [
      ...contendersOn(comparedStream(task)).map((router) => [
        router,
        ...columns.map((metric) => ours(`${task}/${router}`, metric)),
      ]),
      [
        'exact filter',
        ...scoredMetrics.flatMap((metric) => [ours(`${task}/affinity`, boundOf(metric)), '']),
        ...['', '', ''],
      ],
    ],
    notes: [
      `Shares are of the gap from affinity to the exact filter, by seed; empty where it is below ${LEAST_GAP}. State is what a sequence carries; operations are those of one token.`,
    ],
  }))
}
