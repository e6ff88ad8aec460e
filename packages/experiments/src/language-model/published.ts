/** What was published about the language model: arXiv 2605.00604, Table 6 and §4.5, means over seeds 42..46. */
import type { Published } from '../statistics.js'
import type { LanguageModelCondition } from './conditions.js'
import type { LanguageModelMetric } from './run.js'

const paper = (mean: number, std: number, digits?: number): Published => ({
  mean,
  std,
  n: 5,
  source: 'paper',
  ...(digits === undefined ? {} : { digits }),
})

type Row = Readonly<Partial<Record<LanguageModelMetric, Published>>>

/** By condition and metric. The direct form has no row in the table. */
export const publishedLanguageModel: Readonly<Partial<Record<LanguageModelCondition, Row>>> = {
  standard: {
    bpcAll: paper(1.78, 0.001),
    bpcTransition: paper(6.559, 0.012),
    pB: paper(0.421, 0.121),
    pBMid: paper(0.559, 0.033),
    k99: paper(9.6, 5.3, 1),
  },
  beta: {
    bpcAll: paper(1.659, 0.011),
    bpcTransition: paper(4.01, 0.145),
    pB: paper(0.604, 0.22),
    pBMid: paper(0.996, 0.004),
    k99: paper(6, 3.8, 1),
  },
  'beta+ant': {
    bpcAll: paper(1.681, 0.021),
    bpcTransition: paper(4.19, 0.363),
    pB: paper(0.858, 0.023),
    pBMid: paper(0.997, 0.003),
    k99: paper(2.4, 0.2, 1),
  },
}

/** Bits per letter at the transition minus those of `standard`, paired by seed. */
export const publishedBitsGained: Readonly<Partial<Record<LanguageModelCondition, Published>>> = {
  beta: paper(-2.55, 0.14, 2),
}
