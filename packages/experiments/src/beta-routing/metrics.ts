/** Metrics of Table 1 and what was published of them: arXiv 2605.00604, §4.1, one run with seed 42. */
import { type Metrics, share } from '../metric.js'
import type { Published } from '../statistics.js'
import type { PublishedFigures } from '../summary.js'
import { TASKS } from './settings.js'

/** Experts that the paper reports a decay of. */
export const EXPERTS = [0, 1, 2, 3] as const

/** Accuracy, gate mass and decays; task A's end in A, task B's in B. */
export const betaRoutingMetrics: Metrics = Object.fromEntries([
  ...TASKS.map((task) => [`accuracy${task}`, share(`acc ${task}`, 'accuracy')]),
  ...TASKS.map((task) => [`mass${task}`, share(`mass ${task}`, 'mass')]),
  ...TASKS.flatMap((task) => [
    [`betaMean${task}`, share(`mean β ${task}`)],
    ...EXPERTS.map((e) => [`beta${e}${task}`, share(`β of expert ${e}, ${task}`)]),
  ]),
])

const one = (mean: number, digits = 3): Published => ({ mean, std: null, n: 1, source: 'paper', digits })

const accuracies = (a: number, b: number) => ({ accuracyA: one(a), accuracyB: one(b) })

const decays = (task: string, list: readonly number[]): [string, Published][] => [
  // The paper prints no mean; this one is of its four decays, and so has more digits.
  [`betaMean${task}`, one(list.reduce((sum, x) => sum + x, 0) / list.length)],
  ...list.map((beta, e): [string, Published] => [`beta${e}${task}`, one(beta)]),
]

/** Table 1, and the decays that the text gives. */
export const betaRoutingPublished: PublishedFigures = {
  'last-token': accuracies(0.496, 0.951),
  'mean-pool': accuracies(0.957, 0.5),
  'lif-fixed': accuracies(0.893, 0.994),
  'lif-learned': {
    ...accuracies(0.94, 0.995),
    ...Object.fromEntries([
      ...decays('A', [0.965, 0.953, 0.964, 0.953]),
      ...decays('B', [0.674, 0.83, 0.704, 0.82]),
    ]),
  },
}
