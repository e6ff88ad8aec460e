/** Summaries and tables of experiments whose figures are their runs' metrics. */
import type { ExperimentSettings } from './experiment.js'
import type { Metrics } from './metric.js'
import { type Run, type SummaryRow, summarizer } from './results.js'
import type { Published } from './statistics.js'
import { agreementCell, formatEstimate } from './table.js'

/** Published figures by condition and metric. */
export type PublishedFigures = Readonly<Record<string, Readonly<Record<string, Published>>>>

/** Every metric that the runs of a condition have, over seeds, beside what was published of it. */
export function summarizeRuns(
  runs: readonly Run[],
  { seeds, quick }: ExperimentSettings,
  conditions: readonly string[],
  metrics: Metrics,
  published: PublishedFigures,
): SummaryRow[] {
  const { row } = summarizer(metrics, { compare: !quick })
  return conditions.flatMap((condition) => {
    const own = seeds.map((seed) => {
      const run = runs.find((r) => r.condition === condition && r.seed === seed)
      return (run as Run).metrics
    })
    return Object.keys(metrics)
      .filter((metric) => own.every((values) => metric in values))
      .map((metric) =>
        row(
          condition,
          metric,
          own.map((values) => values[metric] as number),
          published[condition]?.[metric],
        ),
      )
  })
}

/** Cells of tables. */
export interface Cells {
  /** Ours, with the metric's digits; empty where there is none. */
  ours(condition: string, metric: string): string
  published(condition: string, metric: string): string
  /** Both. */
  pair(condition: string, metric: string): [ours: string, published: string]
  /** Whether all of them agree. */
  agrees(condition: string, ...names: string[]): string
}

/** Cells from a summary. */
export function cellsOf(summary: readonly SummaryRow[], metrics: Metrics): Cells {
  const find = (condition: string, metric: string) =>
    summary.find((row) => row.condition === condition && row.metric === metric)
  const digits = (metric: string) => metrics[metric]?.digits ?? 3
  const cells: Omit<Cells, 'pair'> = {
    ours: (condition, metric) =>
      formatEstimate(find(condition, metric)?.ours ?? null, { digits: digits(metric) }),
    published: (condition, metric) => {
      const row = find(condition, metric)
      return formatEstimate(row?.published ?? null, { digits: row?.published?.digits ?? digits(metric) })
    },
    agrees: (condition, ...names) => agreementCell(names.map((metric) => find(condition, metric))),
  }
  return {
    ...cells,
    pair: (condition, metric) => [cells.ours(condition, metric), cells.published(condition, metric)],
  }
}

/** What a reader must know of how figures were compared. */
export const comparisonNotes = ({ quick }: ExperimentSettings, ...notes: string[]): string[] =>
  quick ? ['A quick run: these figures are not compared with the published ones.'] : notes

/** `seeds 42, 43`, or their number. */
export const describeSeeds = ({ seeds }: ExperimentSettings): string =>
  seeds.length > 8 ? `${seeds.length} seeds` : `${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`
