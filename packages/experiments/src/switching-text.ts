/**
 * The paper's language model (§4.5) with gates that know the time: its own text, whose alphabet changes once and always at the
 * same letter, and one whose alphabet changes again and again at random, where a clock that starts with the text is of no use.
 * How close does each come to the exact bound?
 */
import type { Experiment } from './experiment.js'
import { switchingTextConditions } from './switching-text/conditions.js'
import { switchingTextFigures } from './switching-text/figures.js'
import { NAME, runSwitchingText, switchingTextRunMetrics } from './switching-text/run.js'
import {
  restoreSwitchingText,
  type SwitchingTextSettings,
  switchingTextSettings,
} from './switching-text/settings.js'
import { summarizeSwitchingText, switchingTextTables } from './switching-text/tables.js'
import { switchingTextBounds } from './switching-text/texts.js'

/** The comparison. */
export const switchingText: Experiment<SwitchingTextSettings> = {
  name: NAME,
  title: 'Gates that know the time, on text that changes its alphabet once or often',
  source: 'arXiv 2605.00604, §4.5, and past it: a text and gates of our own',
  metrics: switchingTextRunMetrics,
  conditions: switchingTextConditions,
  settings: switchingTextSettings,
  restore: restoreSwitchingText,
  // Predictors of 128-256-64 multiply most.
  cost: (condition) => (condition.includes('ant') ? 200 : condition.includes('clock') ? 25 : 70),
  // More than an hour of two cores.
  amongAll: { seeds: 0 },
  run: runSwitchingText,
  summarize: summarizeSwitchingText,
  bounds: switchingTextBounds,
  tables: switchingTextTables,
  figures: switchingTextFigures,
}
