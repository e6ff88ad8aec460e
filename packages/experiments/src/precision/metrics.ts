/** Metrics of the precision experiment and what was published of them: arXiv 2605.00604, §4.2, Tables 2 and 3. */
import { type Metrics, unlimited } from '../metric.js'
import type { Published } from '../statistics.js'
import type { PublishedFigures } from '../summary.js'

/** Experts of Table 3. */
export const EXPERTS = [0, 1, 2, 3] as const

/** Steps that Table 3 prints, relative to the swap. */
export const PRINTED = [-10, 0, 10, 20, 50, 100] as const

/** Name of Π of an expert some steps after the swap. */
export const precisionAt = (expert: number, offset: number) => `precision${expert}At${offset}`

/**
 * `crossoverStep`: the first step from the swap on after which Π of expert 2 is above that of expert 0; the number of steps
 * where that never comes. `precisionNoise`: the relative standard deviation of a settled Π, see `run.ts`.
 */
export const precisionMetrics: Metrics = {
  earlyLoss: unlimited('early loss', 4),
  finalLoss: unlimited('final loss', 4),
  ...Object.fromEntries(EXPERTS.map((e) => [`precision${e}`, unlimited(`Π of expert ${e} at the end`, 2)])),
  precisionContrast: unlimited('largest over smallest Π at the end', 1),
  crossoverStep: unlimited('step of the crossover', 1),
  precisionNoise: unlimited('relative noise of Π', 4),
  ...Object.fromEntries(
    PRINTED.flatMap((offset) =>
      EXPERTS.map((e) => [
        precisionAt(e, offset),
        unlimited(`Π of expert ${e}, ${offset} steps after the swap`, 2),
      ]),
    ),
  ),
}

/** All tables of §4.2 are one run with seed 42. */
const one = (mean: number, digits: number): Published => ({ mean, std: null, n: 1, source: 'paper', digits })

const losses = (early: number, final: number) => ({ earlyLoss: one(early, 4), finalLoss: one(final, 4) })

const table3: Readonly<Record<(typeof PRINTED)[number], readonly number[]>> = {
  [-10]: [13.62, 3.02, 0.43, 3.14],
  0: [5.46, 3.06, 0.44, 3.17],
  10: [0.97, 3.08, 0.71, 3.12],
  20: [0.64, 3.1, 1.12, 3.09],
  50: [0.47, 3.09, 3.71, 3.19],
  100: [0.44, 3.14, 10.74, 3.02],
}

/** Tables 2 and 3. The crossover that the paper prints, 520, is the first printed step after it, and no figure of a step. */
export const precisionPublished: PublishedFigures = {
  'static-affinity': losses(0.2253, 0.0815),
  'static-precision': {
    ...losses(0.2145, 0.0734),
    precision0: one(13.5, 1),
    precision1: one(3.1, 1),
    precision2: one(0.43, 2),
    precision3: one(3.1, 1),
    precisionContrast: one(31, 0),
  },
  'shifting-affinity': losses(0.2273, 0.1544),
  'shifting-precision': {
    ...losses(0.1851, 0.0733),
    ...Object.fromEntries(
      PRINTED.flatMap((offset) =>
        table3[offset].map((pi, e): [string, Published] => [precisionAt(e, offset), one(pi, 2)]),
      ),
    ),
  },
}
