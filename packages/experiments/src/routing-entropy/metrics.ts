/** Metrics of §3.4 and what was published of them: arXiv 2605.00604. */
import { type Metrics, share, unlimited } from '../metric.js'
import type { Published } from '../statistics.js'
import type { PublishedFigures } from '../summary.js'

/**
 * Accuracy, gate mass, the entropy of the weights in nats, and K(99 %), from mass and from accuracy. K is not capped at the
 * number of experts: draws are with replacement, and the paper's K is above it.
 */
export const routingEntropyMetrics = {
  accuracyAll: share('acc all', 'accuracy'),
  accuracyTransition: share('acc t=5', 'accuracy'),
  massAll: share('mass all', 'mass'),
  massTransition: share('mass t=5', 'mass'),
  entropyAll: unlimited('entropy all', 3),
  entropyTransition: unlimited('entropy t=5', 3),
  k99: unlimited('K(99 %) from mass', 1, 'mass'),
  k99Accuracy: unlimited('K(99 %) from accuracy', 1, 'accuracy'),
} satisfies Metrics

const paper = (mean: number, digits = 3): Published => ({ mean, std: null, n: 5, source: 'paper', digits })

/** From five runs of the paper's own code, of which the paper prints accuracies where it says probability. */
const prototype = (mean: number, digits = 3): Published => ({ ...paper(mean, digits), source: 'prototype' })

/** By condition and metric. */
export const routingEntropyPublished: PublishedFigures = {
  baseline: {
    accuracyTransition: paper(0.006),
    massTransition: prototype(0.014),
    k99: prototype(322, 0),
    k99Accuracy: paper(765, 0),
  },
  'beta+ant': {
    accuracyTransition: paper(0.748),
    massTransition: prototype(0.734),
    k99: prototype(3.5, 1),
  },
}
