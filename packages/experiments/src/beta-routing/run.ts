/** Trains one router on both tasks of Table 1. */
import { adam, type Backend, createGate, type GateConfig, schemas } from '@fep-moe/core'
import * as v from 'valibot'
import type { Job } from '../experiment.js'
import type { Run } from '../results.js'
import { scoreSteps } from '../scoring.js'
import { blockMeans, meanOfLast, shorten } from '../series.js'
import { openLastStep } from '../tasks/last-step.js'
import { EXPERTS } from './metrics.js'
import { type BetaRoutingSettings, TASKS, type TaskName, taskOf } from './settings.js'

/** Conditions in the table's order. The last one learns its decay from where the other task's was tuned to. */
export const betaRoutingConditions = [
  'last-token',
  'mean-pool',
  'lif-fixed',
  'lif-learned',
  'lif-learned-crossed',
] as const

function gateOf(condition: string, task: TaskName, settings: BetaRoutingSettings): GateConfig {
  const name = schemas.parse(v.picklist(betaRoutingConditions), condition, 'beta-routing.condition')
  const { dim, experts, threshold, beta } = settings
  if (name === 'last-token') return { dim, experts }
  if (name === 'mean-pool') return { dim, experts, memory: { kind: 'mean' } }
  const learned = name !== 'lif-fixed'
  const start = name === 'lif-learned-crossed' ? (TASKS.find((other) => other !== task) as TaskName) : task
  return {
    dim,
    experts,
    memory: { kind: 'membrane', beta: beta[start], learned, threshold, reset: 'soft-cap' },
  }
}

/** Opens the training on one task: the router decides at the last step alone, the loss is taken on its weights. */
async function openTask(backend: Backend, job: Job, task: TaskName, settings: BetaRoutingSettings) {
  const gate = createGate(gateOf(job.condition, task, settings))
  const stream = openLastStep(taskOf(task, settings), job.seed)
  const trainer = await gate.trainer(backend, gate.init({ seed: job.seed }), {
    optimizer: adam({ lr: settings.learningRate }),
    loss: { kind: 'cross-entropy', on: 'weights', time: 'last' },
    layout: 'feature-major',
  })
  const history = { loss: [] as number[], accuracy: [] as number[], mass: [] as number[] }
  return {
    epoch: async () => {
      const { x, targets } = stream.next()
      const result = await trainer.step({ x, targets })
      const scores = scoreSteps(await result.featureMajorLogits(), targets, 0)
      history.loss.push(await result.loss())
      history.accuracy.push(scores.accuracyAll)
      history.mass.push(scores.massAll)
    },
    found: async (): Promise<Pick<Run, 'metrics' | 'series'>> => {
      const { memory } = gate.config
      const raw = (await trainer.params()).beta_raw
      const decays = raw
        ? Array.from(raw.data, (z) => 1 / (1 + Math.exp(-z)))
        : memory?.kind === 'membrane'
          ? [...memory.beta]
          : []
      const scored = (list: readonly number[]) => meanOfLast(list, settings.scoredEpochs)
      return {
        metrics: {
          [`accuracy${task}`]: scored(history.accuracy),
          [`mass${task}`]: scored(history.mass),
          ...(decays.length > 0 && { [`betaMean${task}`]: meanOfLast(decays, decays.length) }),
          ...Object.fromEntries(
            EXPERTS.filter((e) => e < decays.length).map((e) => [`beta${e}${task}`, decays[e] as number]),
          ),
        },
        series: {
          [`loss${task}`]: shorten(blockMeans(history.loss)),
          [`accuracy${task}`]: shorten(blockMeans(history.accuracy)),
          ...(decays.length > 0 && { [`beta${task}`]: shorten(decays) }),
        },
      }
    },
    dispose: () => trainer.dispose(),
  }
}

/**
 * Trains and scores one router. Series of the run, by task: `loss` and `accuracy` over the training, `beta` by expert where
 * there is a membrane.
 */
export async function runBetaRouting(
  backend: Backend,
  job: Job,
  settings: BetaRoutingSettings,
  onEpoch?: (done: number) => void | Promise<void>,
): Promise<Run> {
  const opened: Awaited<ReturnType<typeof openTask>>[] = []
  try {
    for (const task of TASKS) opened.push(await openTask(backend, job, task, settings))
    for (let epoch = 1; epoch <= settings.epochs; epoch++) {
      for (const task of opened) await task.epoch()
      const pause = onEpoch?.(epoch)
      if (pause) await pause
    }
    const found = await Promise.all(opened.map((task) => task.found()))
    return {
      experiment: 'beta-routing',
      ...job,
      backend: backend.name,
      metrics: Object.assign({}, ...found.map(({ metrics }) => metrics)),
      series: Object.assign({}, ...found.map(({ series }) => series)),
    }
  } finally {
    for (const task of opened) await task.dispose()
  }
}
