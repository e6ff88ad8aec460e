/**
 * Mixtures that learn one domain after another without seeing any of them again, experts and gate together on the squared
 * error alone: how much of the first domain is left after the last one?
 */
import {
  adam,
  type Backend,
  createMixture,
  gateStates,
  graphCost,
  loadMechanisms,
  type Mixture,
  type MixtureConfig,
  precisionTracker,
  presets,
} from '@fep-moe/core'
import type { Run } from '../results.js'
import { blockOf, shorten } from '../series.js'
import { type ContinualStream, continual, continualBound, openContinual } from '../tasks/continual.js'
import type { ContinualMetric } from './metrics.js'
import type { PastThePaperSettings } from './settings.js'

/** Name of the task. */
export const CONTINUAL = 'continual'

/** Hidden units of an expert; one expert alone has as many as all of a mixture. */
const WIDTH = 16
const { dim, domains, batch } = continual

type Shape = Pick<MixtureConfig, 'router' | 'dispatchAhead'> & { readonly experts?: number }

const shapes = {
  dense: { experts: 1 },
  affinity: {},
  // What they decide for the next token is right for this one too: a sequence stays in its domain.
  'beta+ant': { router: presets['paper-a/beta+ant'], dispatchAhead: true },
  'beta+pi+ant': { router: presets['paper-a/full'], dispatchAhead: true },
  fep: { router: presets.fep, dispatchAhead: true },
  belief: { router: { belief: { horizon: 0 } } },
} as const satisfies Readonly<Record<string, Shape>>

/** By name: an expert for each domain, or one expert of the same size in all. */
export const mixtures: Readonly<Record<string, () => Mixture>> = Object.fromEntries(
  Object.entries(shapes).map(([name, { experts = domains, ...rest }]: [string, Shape]) => [
    name,
    () =>
      createMixture({
        dim,
        experts,
        expert: { width: (WIDTH * domains) / experts, outputs: 1 },
        ...rest,
      }),
  ]),
)

/** Mean squared error on so many fresh sequences of a domain. */
type Score = (domain: number) => Promise<number>

/**
 * Trains on domain after domain. Series: `error0`.. of each domain on fresh sequences, at the end of every block of updates.
 */
export async function runContinual(
  backend: Backend,
  router: string,
  seed: number,
  { domainEpochs, evaluated, learningRate }: PastThePaperSettings,
  onEpoch?: (done: number) => void | Promise<void>,
): Promise<Pick<Run, 'metrics' | 'series'>> {
  const mixture = (mixtures[router] as () => Mixture)()
  const { precision } = mixture.gate
  const tracker =
    precision &&
    precisionTracker({
      experts: mixture.gate.experts,
      momentum: precision.momentum,
      epsilon: precision.epsilon,
      initialVariance: precision.initialVariance,
    })
  let tracked = tracker?.init()
  const beside = () => (tracked ? { precision: tracked } : {})
  const stream = openContinual({}, seed)
  const trainer = await mixture.trainer(backend, mixture.init({ seed }), {
    optimizer: adam({ lr: learningRate }),
  })
  const scoreOn =
    (fresh: ContinualStream, sequences: number): Score =>
    async (domain) => {
      const params = await trainer.params()
      let [sum, count] = [0, 0]
      for (let n = 0; n < sequences; n += batch) {
        const { x, targets } = fresh.next(domain)
        const { y } = await mixture.run(backend, params, x, beside())
        targets.data.forEach((target, i) => {
          sum += (target - (y.data[i] as number)) ** 2
        })
        count += targets.data.length
      }
      return sum / count
    }
  const glance = scoreOn(openContinual({}, seed, 'glance'), batch)
  const score = scoreOn(openContinual({}, seed, 'evaluation'), evaluated)
  const series = Array.from({ length: domains }, (): number[] => [])
  const block = blockOf(domains * domainEpochs)
  try {
    let afterFirst = Number.NaN
    for (let done = 1; done <= domains * domainEpochs; done++) {
      const step = await trainer.step({
        ...stream.next(Math.floor((done - 1) / domainEpochs)),
        ...beside(),
      })
      if (tracker && tracked) tracked = tracker.update(tracked, await step.errors())
      if (done % block === 0)
        for (const [domain, errors] of series.entries()) errors.push(await glance(domain))
      if (done === domainEpochs) afterFirst = await score(0)
      const pause = onEpoch?.(done)
      if (pause) await pause
    }
    const end: number[] = []
    for (let domain = 0; domain < domains; domain++) end.push(await score(domain))
    const afterLast = end[0] as number
    const found: Record<ContinualMetric, number> = {
      errorAfterFirst: afterFirst,
      errorAfterLast: afterLast,
      forgetting: afterLast - afterFirst,
      errorEnd: end.reduce((sum, e) => sum + e, 0) / domains,
      boundError: continualBound({}, evaluated, seed).inferred.mean,
    }
    return {
      metrics: { ...found, ...(await costOf(mixture)) },
      series: Object.fromEntries(series.map((errors, domain) => [`error${domain}`, shorten(errors)])),
    }
  } finally {
    await trainer.dispose()
    await mixture.release(backend)
  }
}

/** Of the whole layer, experts included. */
async function costOf(mixture: Mixture) {
  await loadMechanisms(mixture.gate)
  return {
    parameters: mixture.params.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0),
    state: gateStates(mixture.gate).reduce((n, { width }) => n + width, 0),
    flops: graphCost(mixture.graph({ steps: 1, state: true }), 1).total.flops,
  }
}
