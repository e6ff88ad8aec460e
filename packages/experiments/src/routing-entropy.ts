/**
 * §3.4 of paper A (`routing_entropy`): how much weight gates put on the right expert, how uncertain they are, and how many draws
 * from them cover the right expert with 99 %. The ablation's stream and routers, another loss, an evaluation of its own.
 */
import { domainSwitchBoundRows } from './domain-switch/bounds.js'
import type { Experiment } from './experiment.js'
import { routingEntropyMetrics, routingEntropyPublished } from './routing-entropy/metrics.js'
import { routingEntropyConditions, runRoutingEntropy } from './routing-entropy/run.js'
import {
  type RoutingEntropySettings,
  restoreRoutingEntropy,
  routingEntropySettings,
} from './routing-entropy/settings.js'
import { routingEntropyFigures, routingEntropyTables } from './routing-entropy/views.js'
import { summarizeRuns } from './summary.js'

const conditions = Object.keys(routingEntropyConditions)

/** §3.4. */
export const routingEntropy: Experiment<RoutingEntropySettings> = {
  name: 'routing-entropy',
  title: 'Gate mass, entropy and draws for 99 % coverage on a stream with one domain switch',
  source: 'arXiv 2605.00604, §3.4',
  metrics: routingEntropyMetrics,
  conditions,
  settings: routingEntropySettings,
  restore: restoreRoutingEntropy,
  cost: (condition) => (condition.includes('ant') ? 5.3 : 2.1) + (condition.includes('beta') ? 0.8 : 0),
  amongAll: { seeds: 2 },
  run: runRoutingEntropy,
  summarize: (runs, settings) =>
    summarizeRuns(runs, settings, conditions, routingEntropyMetrics, routingEntropyPublished),
  bounds: domainSwitchBoundRows,
  tables: routingEntropyTables,
  figures: routingEntropyFigures,
}
