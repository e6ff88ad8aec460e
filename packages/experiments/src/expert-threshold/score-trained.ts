/** Scores of a trained model: on held-out text, on a source that it never saw, and by the company a sequence keeps. */
import type { Backend } from '@fep-moe/core'
import { sampleStandardDeviation } from 'simple-statistics'
import type { Job } from '../experiment.js'
import { mean } from '../language-model/scoring.js'
import { shorten } from '../series.js'
import { thresholdLayerOf } from './conditions.js'
import { createByteModel } from './model.js'
import {
  fanoutByLoss,
  fanoutCorrelation,
  fanoutShares,
  gatherScores,
  imbalanceOf,
  routingChanged,
  type Served,
  serve,
} from './scoring.js'
import type { ExpertThresholdSettings } from './settings.js'
import { changeSource, SERVICES, windowsOf } from './source-change.js'
import { openText, type TextBatch } from './stream.js'
import { shareOf } from './target.js'
import { readTexts } from './texts.js'
import type { Found } from './trace.js'
import type { ExpertThresholdTraining } from './training.js'

/** Batches of every score: the same for all conditions of a seed. */
interface ScoredText {
  /** Held-out text of the sources of training. */
  readonly known: readonly TextBatch[]
  /** Held-out text of the other source, and the text from which cutoffs are calibrated for it. */
  readonly unseen: readonly TextBatch[]
  readonly calibration: readonly TextBatch[]
}

async function openScoredText(seed: number, settings: ExpertThresholdSettings): Promise<ScoredText> {
  const { novel, speeches, verses } = await readTexts()
  const take = (sources: readonly Uint8Array[], name: string, count: number) => {
    const stream = openText(sources, settings, seed, name)
    return Array.from({ length: count }, () => stream.next())
  }
  return {
    known: take([novel.heldOut, speeches.heldOut], 'held-out', Math.max(2, settings.scoredBatches)),
    unseen: take([verses.heldOut], 'unseen', settings.scoredBatches),
    calibration: take([verses.training], 'calibration', settings.calibrationBatches),
  }
}

/** Scores what a training has come to. Experts that choose are served by threshold. */
export async function scoreTrained(
  backend: Backend,
  { condition, seed }: Job,
  settings: ExpertThresholdSettings,
  training: ExpertThresholdTraining,
): Promise<Found> {
  const text = await openScoredText(seed, settings)
  const own: Served = {
    backend,
    model: training.model,
    params: await training.params(),
    state: await training.state(),
  }
  const layer = thresholdLayerOf(condition, settings)
  const choosing = own.model.layer.policy.kind === 'expert-choice'
  const served: Served = choosing && layer ? { ...own, model: createByteModel(settings, layer) } : own
  try {
    const known = await scoreKnown(served, text.known, settings)
    const changed = layer ? await scoreChange(served, text, settings) : await scoreUnseen(served, text.unseen)
    const choice = choosing ? await scoreChoice(own, text.known) : {}
    return {
      metrics: { ...known.metrics, ...changed.metrics, ...choice },
      series: { ...known.series, ...changed.series },
    }
  } finally {
    if (served.model !== own.model) await served.model.release(backend)
  }
}

async function serveAll(served: Served, batches: readonly TextBatch[]) {
  const results = []
  for (const batch of batches) results.push(await serve(served, batch))
  return results
}

async function scoreKnown(
  served: Served,
  batches: readonly TextBatch[],
  { dim, width }: ExpertThresholdSettings,
): Promise<Found> {
  const { policy, experts, shared } = served.model.layer
  const results = await serveAll(served, batches)
  const scores = gatherScores(results)
  const { losses, fanouts, load } = scores
  const target = shareOf(policy)
  const [loss, fanout] = [mean(losses), mean(fanouts)]
  const pairs = results.map((result) => Array.from(result.load.data).reduce((a, b) => a + b, 0))
  const byLoss = fanoutByLoss(scores)
  const [first, second] = batches as [TextBatch, TextBatch]
  return {
    metrics: {
      loss,
      perplexity: Math.exp(loss),
      imbalance: imbalanceOf(load, losses.length, target),
      fanout,
      fanoutSpread: sampleStandardDeviation([...fanouts]),
      unrouted: mean(fanouts.map((n) => Number(n === 0))),
      fanoutCorrelation: fanoutCorrelation(scores),
      fanoutHardMinusEasy: (byLoss.at(-1) as number) - (byLoss[0] as number),
      routingChanged: await routingChanged(served, first, second),
      pairsPeak: Math.max(...pairs) / mean(pairs),
      // A multiply-add is two operations; an expert has two layers.
      expertFlops: (fanout + (shared ? 1 : 0)) * 4 * dim * width,
      parameters: Object.values(served.params).reduce((n, p) => n + p.data.length, 0),
    },
    series: {
      load: shorten(load.map((n) => n / (losses.length * target)).sort((a, b) => b - a)),
      fanout: shorten(fanoutShares(fanouts, experts.count)),
      fanoutByLoss: shorten(byLoss),
    },
  }
}

/** A policy without cutoffs meets the new source as it is. */
async function scoreUnseen(served: Served, batches: readonly TextBatch[]): Promise<Found> {
  const { losses, load } = gatherScores(await serveAll(served, batches))
  return {
    metrics: {
      lossUnseen: mean(losses),
      imbalanceUnseen: imbalanceOf(load, losses.length, shareOf(served.model.layer.policy)),
    },
    series: {},
  }
}

const NAMES = {
  frozen: ['imbalanceUnseen', 'lossUnseen'],
  adapted: ['imbalanceAdapted', 'lossAdapted'],
  recalibrated: ['imbalanceRecalibrated', 'lossRecalibrated'],
} as const

/** Cutoffs frozen, adapted, calibrated again; scored on the second half of the new source, when they have adapted. */
async function scoreChange(
  served: Served,
  { known, unseen, calibration }: ScoredText,
  { adaptDecay }: ExpertThresholdSettings,
): Promise<Found> {
  const target = shareOf(served.model.layer.policy)
  const before = windowsOf(await serveAll(served, known), target)
  const { services, followed } = await changeSource(served, unseen, calibration, adaptDecay)
  const metrics: Record<string, number> = { cutoffsFollowed: followed }
  const series: Record<string, readonly number[]> = {}
  for (const service of SERVICES) {
    const results = services[service]
    const { losses, load } = gatherScores(results.slice(Math.floor(results.length / 2)))
    const [imbalance, loss] = NAMES[service]
    metrics[imbalance] = imbalanceOf(load, losses.length, target)
    metrics[loss] = mean(losses)
    const after = windowsOf(results, target)
    series[`imbalance/${service}`] = shorten([...before.imbalance, ...after.imbalance])
    series[`loss/${service}`] = shorten([...before.loss, ...after.loss])
  }
  return { metrics, series }
}

/** Expert choice with its own selection, which looks at later tokens and at the other sequences. */
async function scoreChoice(own: Served, batches: readonly TextBatch[]): Promise<Found['metrics']> {
  const { losses } = gatherScores(await serveAll(own, batches))
  const [first, second] = batches as [TextBatch, TextBatch]
  return { lossChoice: mean(losses), routingChangedChoice: await routingChanged(own, first, second) }
}
