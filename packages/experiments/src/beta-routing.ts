/**
 * Table 1 of paper A (§4.1, `beta_routing`): routers that decide at the end of a sequence, on a task whose evidence comes early
 * and on one that switches domain. Does a membrane per expert do what neither the last token nor the mean of all can?
 */
import { betaRoutingMetrics, betaRoutingPublished } from './beta-routing/metrics.js'
import { betaRoutingConditions, runBetaRouting } from './beta-routing/run.js'
import {
  type BetaRoutingSettings,
  betaRoutingSettings,
  restoreBetaRouting,
  TASKS,
} from './beta-routing/settings.js'
import { betaRoutingFigures, betaRoutingTables, boundsByTask } from './beta-routing/views.js'
import type { Experiment } from './experiment.js'
import { summarizeRuns } from './summary.js'

/** Table 1. */
export const betaRouting: Experiment<BetaRoutingSettings> = {
  name: 'beta-routing',
  title: 'A membrane per expert on early evidence and on a late switch',
  source: 'arXiv 2605.00604, §4.1, Table 1',
  metrics: betaRoutingMetrics,
  conditions: betaRoutingConditions,
  settings: betaRoutingSettings,
  restore: restoreBetaRouting,
  cost: (condition) => (condition.startsWith('lif') ? 3 : 1.5),
  amongAll: { seeds: 2 },
  run: runBetaRouting,
  summarize: (runs, settings) =>
    summarizeRuns(runs, settings, betaRoutingConditions, betaRoutingMetrics, betaRoutingPublished),
  /** `lastToken`, `meanPool`, `membrane`, `bestMembrane`, `fullHistory` on `accuracyA` and `accuracyB`. */
  bounds: (settings) =>
    boundsByTask(settings).flatMap((bounds, i) =>
      Object.entries(bounds).map(([name, value]) => ({ name, metric: `accuracy${TASKS[i]}`, value })),
    ),
  tables: betaRoutingTables,
  figures: betaRoutingFigures,
}
