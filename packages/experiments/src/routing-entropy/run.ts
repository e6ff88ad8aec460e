/** Trains one gate on the ablation's stream with the loss of §3.4, and evaluates it on fresh sequences. */
import {
  accuracy,
  atStep,
  type Backend,
  createGate,
  entropy,
  expertsForCoverage,
  type GateConfig,
  gateMass,
  type LossConfig,
  type Params,
  type PresetName,
  preset,
  schemas,
  type Tensor,
  transpose,
} from '@fep-moe/core'
import * as v from 'valibot'
import { openDomainSwitchTraining } from '../domain-switch/training.js'
import type { Job } from '../experiment.js'
import type { Run } from '../results.js'
import { shorten } from '../series.js'
import { openDomainSwitch } from '../tasks/domain-switch.js'
import type { RoutingEntropySettings } from './settings.js'

/** Conditions in the paper's order, by the preset that each one trains. */
export const routingEntropyConditions = {
  baseline: 'affinity',
  beta: 'paper-a/beta',
  ant: 'paper-a/ant',
  'beta+ant': 'paper-a/beta+ant',
  oracle: 'paper-a/oracle',
} as const satisfies Readonly<Record<string, PresetName>>

/** Cross-entropy on the weights (softmax twice, as the paper's code), and none on the predicted token. */
const LOSS: LossConfig = {
  kind: 'cross-entropy',
  on: 'weights',
  time: 'sum',
  lastStep: 'drop',
  predictionWeight: 0,
}

/** K of a gate that gives the right expert nothing: infinity is no JSON. */
const MOST_DRAWS = 1e9

function gateOf(condition: string, { dim, experts }: RoutingEntropySettings): GateConfig {
  const names = Object.keys(routingEntropyConditions) as (keyof typeof routingEntropyConditions)[]
  const name = schemas.parse(v.picklist(names), condition, 'routing-entropy.condition')
  return preset(routingEntropyConditions[name], { dim, experts })
}

/** Trains and evaluates one gate. Series of the run: `accuracy`, `mass` and `entropy` by step. */
export async function runRoutingEntropy(
  backend: Backend,
  job: Job,
  settings: RoutingEntropySettings,
  onEpoch?: (done: number) => void | Promise<void>,
): Promise<Run> {
  const config = gateOf(job.condition, settings)
  const training = await openDomainSwitchTraining(backend, config, job.seed, settings, LOSS)
  try {
    for (let epoch = 1; epoch <= settings.epochs; epoch++) {
      await training.step(training.sample())
      const pause = onEpoch?.(epoch)
      if (pause) await pause
    }
    const series = await evaluate(backend, config, await training.params(), job.seed, settings)
    const all = (list: readonly number[]) => list.reduce((sum, x) => sum + x, 0) / list.length
    const transition = (list: readonly number[]) => list[settings.switchAt - 1] as number
    const coverage = (p: number) => expertsForCoverage(p, { cap: MOST_DRAWS })
    return {
      experiment: 'routing-entropy',
      ...job,
      backend: backend.name,
      metrics: {
        accuracyAll: all(series.accuracy),
        accuracyTransition: transition(series.accuracy),
        massAll: all(series.mass),
        massTransition: transition(series.mass),
        entropyAll: all(series.entropy),
        entropyTransition: transition(series.entropy),
        k99: coverage(transition(series.mass)),
        k99Accuracy: coverage(transition(series.accuracy)),
      },
      series: {
        accuracy: shorten(series.accuracy),
        mass: shorten(series.mass),
        entropy: shorten(series.entropy),
      },
    }
  } finally {
    await training.dispose()
  }
}

/** Means by step over sequences that the training of this seed has not seen. */
async function evaluate(
  backend: Backend,
  config: GateConfig,
  params: Params,
  seed: number,
  settings: RoutingEntropySettings,
) {
  const { evaluationBatch: batch, evaluationBatches, steps, dim, experts, switchAt, noise, signal } = settings
  const stream = openDomainSwitch(
    { batch, steps, dim, experts, switchAt, noise, signal },
    seed,
    'domain-switch/evaluation',
  )
  const gate = createGate(config)
  const scored = steps - 1
  const zeros = () => new Array<number>(scored).fill(0)
  const sums = { accuracy: zeros(), mass: zeros(), entropy: zeros() }
  const add = (list: number[], t: number, value: number) => {
    list[t] = (list[t] as number) + value / evaluationBatches
  }
  try {
    for (let i = 0; i < evaluationBatches; i++) {
      const { x, targets } = stream.next()
      const { logits, weights } = await gate.route(backend, params, transpose(x, [2, 1, 0]))
      for (let t = 0; t < scored; t++) {
        const right: Tensor = {
          dtype: 'int32',
          shape: [batch, 1],
          data: targets.data.subarray(t * batch, (t + 1) * batch),
        }
        const at = atStep(weights, t)
        add(sums.accuracy, t, accuracy(atStep(logits, t), right))
        add(sums.mass, t, gateMass(at, right))
        add(sums.entropy, t, entropy(at))
      }
    }
  } finally {
    await gate.release(backend)
  }
  return sums
}
