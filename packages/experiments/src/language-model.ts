/**
 * The language model of paper A (§4.5, Table 6): one layer with two dense experts, on text that changes its alphabet once.
 * Is the model ready for the first letter of the second alphabet, and does its gate say so?
 */
import type { Experiment } from './experiment.js'
import { languageModelConditions } from './language-model/conditions.js'
import { languageModelFigures } from './language-model/figures.js'
import { runLanguageModel } from './language-model/run.js'
import {
  type LanguageModelSettings,
  languageModelSettings,
  restoreLanguageModel,
} from './language-model/settings.js'
import { languageModelMetrics, summarizeLanguageModel } from './language-model/summary.js'
import { languageModelBounds, languageModelTables } from './language-model/tables.js'

/** The language model. */
export const languageModel: Experiment<LanguageModelSettings> = {
  name: 'language-model',
  title: 'A small language model on text that changes its alphabet once',
  source: 'arXiv 2605.00604, §4.5, Table 6',
  metrics: languageModelMetrics,
  conditions: Object.keys(languageModelConditions),
  settings: languageModelSettings,
  restore: restoreLanguageModel,
  // Predictors of 128-256-64 multiply most; memory adds a scan.
  cost: (condition) => (condition === 'standard' ? 15 : condition === 'beta' ? 30 : 160),
  // The direct form takes as long as the additive one, and no published figure waits for it.
  amongAll: { seeds: 1, conditions: ['standard', 'beta', 'beta+ant'] },
  run: runLanguageModel,
  summarize: summarizeLanguageModel,
  bounds: languageModelBounds,
  tables: languageModelTables,
  figures: languageModelFigures,
}
