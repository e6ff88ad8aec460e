/** Everything over seeds, and losses against that of `et`, paired by seed. */
import { type Run, type SummaryRow, summarizer } from '../results.js'
import { summarizeRuns } from '../summary.js'
import { conditionNames } from './conditions.js'
import { expertThresholdMetrics, runMetrics } from './metrics.js'
import type { ExpertThresholdSettings } from './settings.js'

/** What losses are held against. */
const AGAINST = 'et'

/** Metrics of all runs by condition, then `lossChange` of every condition but `et`. */
export function summarizeExpertThreshold(
  runs: readonly Run[],
  settings: ExpertThresholdSettings,
): SummaryRow[] {
  const { row } = summarizer(expertThresholdMetrics)
  const loss = (condition: string, seed: number) =>
    runs.find((r) => r.condition === condition && r.seed === seed)?.metrics.loss as number
  return [
    ...summarizeRuns(runs, settings, conditionNames, runMetrics, {}),
    ...conditionNames
      .filter((condition) => condition !== AGAINST)
      .map((condition) =>
        row(
          condition,
          'lossChange',
          settings.seeds.map((seed) => loss(condition, seed) - loss(AGAINST, seed)),
        ),
      ),
  ]
}
