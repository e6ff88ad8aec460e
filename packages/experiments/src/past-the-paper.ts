/**
 * Gates on tasks whose best possible score is known exactly: how much of the way from affinity to that bound does a router
 * go, in accuracy and in log loss, at all steps and at switches, and at what size?
 */
import type { Experiment } from './experiment.js'
import { pastThePaperFigures } from './past-the-paper/figures.js'
import { pastThePaperMetrics } from './past-the-paper/metrics.js'
import { conditions, NAME, partsOf, runPastThePaper } from './past-the-paper/run.js'
import {
  type PastThePaperSettings,
  pastThePaperSettings,
  restorePastThePaper,
} from './past-the-paper/settings.js'
import { pastThePaperTables, summarizePastThePaper } from './past-the-paper/summary.js'

/** The comparison. Bounds are metrics of the runs: those of the very sequences that a router is scored on. */
export const pastThePaper: Experiment<PastThePaperSettings> = {
  name: NAME,
  title: 'Gates between affinity and the exact bound',
  source: 'not published; tasks with exact bounds of our own',
  metrics: pastThePaperMetrics,
  conditions,
  settings: pastThePaperSettings,
  restore: restorePastThePaper,
  cost: (condition) => {
    const { task, router } = partsOf(condition)
    const seconds = /gru-state/.test(router) ? 60 : /fep|belief|reset|ant/.test(router) ? 25 : 10
    // Sequences of 12 tokens, and few windows of long ones.
    return seconds * (/fixed|jittered|continual/.test(task) ? 0.3 : 1)
  },
  // An hour and a half of two cores is more than all the others take.
  amongAll: { seeds: 0 },
  run: runPastThePaper,
  summarize: summarizePastThePaper,
  bounds: () => [],
  tables: pastThePaperTables,
  figures: pastThePaperFigures,
}
