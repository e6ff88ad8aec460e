/** The language model's figures over seeds: metrics, and gains over `standard` paired by seed. */
import { type Metrics, shareDifference } from '../metric.js'
import { type Run, type SummaryRow, summarizer } from '../results.js'
import { type LanguageModelCondition, languageModelConditions } from './conditions.js'
import { publishedBitsGained, publishedLanguageModel } from './published.js'
import { type LanguageModelMetric, languageModelRunMetrics } from './run.js'
import type { LanguageModelSettings } from './settings.js'

/** Metrics of runs, and those that compare conditions. */
export const languageModelMetrics = {
  ...languageModelRunMetrics,
  bpcTransitionGain: { label: 'change of BPC t=31', range: null },
  pBGain: shareDifference('gain in p_B t=31', 'mass'),
} satisfies Metrics

const all = Object.keys(languageModelConditions) as LanguageModelCondition[]
const names = Object.keys(languageModelRunMetrics) as LanguageModelMetric[]

/** Everything over seeds, paired by seed where conditions meet. */
export function summarizeLanguageModel(
  runs: readonly Run[],
  { seeds, quick, conditions: wanted = all }: LanguageModelSettings,
): SummaryRow[] {
  const conditions = all.filter((c) => wanted.includes(c))
  const byJob = new Map(runs.map((r) => [`${r.condition}/${r.seed}`, r.metrics]))
  const at = (condition: LanguageModelCondition, metric: LanguageModelMetric, seed: number): number =>
    (byJob.get(`${condition}/${seed}`) as Run['metrics'])[metric] as number
  const values = (c: LanguageModelCondition, m: LanguageModelMetric) => seeds.map((seed) => at(c, m, seed))
  const gains = (c: LanguageModelCondition, m: LanguageModelMetric) =>
    seeds.map((seed) => at(c, m, seed) - at('standard', m, seed))
  const others = conditions.filter((c) => c !== 'standard')
  const { row } = summarizer(languageModelMetrics, { compare: !quick })
  return [
    ...conditions.flatMap((c) =>
      names.map((m) => row(c, m, values(c, m), publishedLanguageModel[c]?.[m] ?? null)),
    ),
    ...others.map((c) =>
      row(c, 'bpcTransitionGain', gains(c, 'bpcTransition'), publishedBitsGained[c] ?? null),
    ),
    ...others.map((c) => row(c, 'pBGain', gains(c, 'pB'))),
  ]
}
