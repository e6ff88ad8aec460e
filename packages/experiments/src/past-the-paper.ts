/**
 * Gates on tasks whose best possible score is known exactly: how much of the way from affinity to that bound does a router
 * go, in accuracy and in log loss, at all steps and at switches, and at what size?
 */
import type { Experiment } from './experiment.js'
import { pastThePaperFigures } from './past-the-paper/figures.js'
import { conditions, NAME, pastThePaperMetrics, runPastThePaper } from './past-the-paper/run.js'
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
  // What is run step by step costs most; sequences of 12 tokens a quarter of those of 48.
  cost: (condition) =>
    (/gru|belief|fep|reset/.test(condition) ? 40 : condition.includes('ant') ? 25 : 10) *
    (/^(fixed|jittered)/.test(condition) ? 0.25 : 1),
  amongAll: { seeds: 1 },
  run: runPastThePaper,
  summarize: summarizePastThePaper,
  bounds: () => [],
  tables: pastThePaperTables,
  figures: pastThePaperFigures,
}
