/**
 * The ablation of paper A (§4.4, Tables 4 and 5): all eight combinations of memory β, precision Π and anticipation, and
 * an oracle that sees the next token, on a stream that switches domain once.
 */
import {
  adam,
  type Backend,
  createGate,
  expertsForCoverage,
  missRates,
  type PresetName,
  precisionTracker,
  preset,
  type StepResult,
  schemas,
} from '@fep-moe/core'
import * as v from 'valibot'
import {
  type AblationMetric,
  publishedGains,
  publishedInteractions,
  publishedMetrics,
} from './ablation-published.js'
import { ablationReport } from './ablation-report.js'
import type { Experiment, ExperimentSettings, Job, SettingsOverrides } from './experiment.js'
import { type Run, type SummaryRow, summaryRow } from './results.js'
import { scoreSteps } from './scoring.js'
import {
  type DomainSwitch,
  type DomainSwitchBatch,
  domainSwitch,
  openDomainSwitch,
} from './tasks/domain-switch.js'

/** Conditions in the paper's order, by the preset that each one trains. */
export const ablationConditions = {
  baseline: 'affinity',
  beta: 'paper-a/beta',
  pi: 'paper-a/pi',
  ant: 'paper-a/ant',
  'beta+pi': 'paper-a/beta+pi',
  'beta+ant': 'paper-a/beta+ant',
  'pi+ant': 'paper-a/pi+ant',
  'beta+pi+ant': 'paper-a/full',
  oracle: 'paper-a/oracle',
} as const satisfies Readonly<Record<string, PresetName>>

/** Name of a condition. */
export type AblationCondition = keyof typeof ablationConditions

/** Settings of the ablation: the task, and how gates are trained and scored on it. */
export interface AblationSettings extends ExperimentSettings, DomainSwitch {
  /** Of Adam, > 0. */
  readonly learningRate: number
  /** Metrics are means over this many last epochs, >= 1; over all where there are fewer. */
  readonly scoredEpochs: number
}

const paperSettings: AblationSettings = {
  ...domainSwitch,
  seeds: [42, 43, 44, 45, 46],
  epochs: 800,
  learningRate: 3e-3,
  scoredEpochs: 50,
  quick: false,
}
/** Small enough for the reference interpreter: seconds, not hours. */
const quickSettings = { seeds: [42], epochs: 40, scoredEpochs: 10, batch: 64, quick: true }

const overridesSchema = v.strictObject({
  seeds: v.optional(
    v.pipe(
      v.array(schemas.integerFrom(0, Number.MAX_SAFE_INTEGER)),
      v.minLength(1, 'at least one seed'),
      v.check((seeds) => new Set(seeds).size === seeds.length, 'seeds that differ'),
    ),
  ),
  epochs: v.optional(schemas.integerFrom(1, 1_000_000)),
  quick: v.optional(v.boolean()),
})

/** One gate in training, a step at a time: what the runner and the benchmark share. */
export interface AblationTraining {
  /** The next batch; valid until the one after it. */
  sample(): DomainSwitchBatch
  /** Gradient, update. Await it before the next `sample`. */
  step(batch: DomainSwitchBatch): Promise<StepResult>
  /** Updates Π where the condition has it: the paper does so once per column, after the gradient step. */
  track(batch: DomainSwitchBatch): void
  /** Compiles ahead of the first step. */
  prepare(): Promise<unknown>
  dispose(): Promise<void>
}

/**
 * Opens a training of one condition. Data and initial parameters come from different streams of the seed, so that all
 * conditions with one seed see the same batches.
 * @throws FEP_BAD_CONFIG for an unknown condition
 */
export async function openAblation(
  backend: Backend,
  { condition, seed }: Job,
  settings: AblationSettings,
): Promise<AblationTraining> {
  const name = schemas.parse(
    v.picklist(Object.keys(ablationConditions) as AblationCondition[]),
    condition,
    'ablation.condition',
  )
  const { batch, steps, dim, experts, switchAt, noise, signal } = settings
  const stream = openDomainSwitch({ batch, steps, dim, experts, switchAt, noise, signal }, seed)
  const gate = createGate(preset(ablationConditions[name], { dim, experts }))
  const trainer = await gate.trainer(backend, gate.init({ seed }), {
    optimizer: adam({ lr: settings.learningRate }),
    loss: { kind: 'cross-entropy', time: 'sum', lastStep: 'drop' },
    layout: 'feature-major',
  })
  const { precision } = gate.config
  const tracker = precision
    ? precisionTracker({
        experts,
        momentum: precision.momentum,
        epsilon: precision.epsilon,
        initialVariance: precision.initialVariance,
      })
    : undefined
  let tracked = tracker?.init()
  return {
    sample: () => stream.next(),
    step: ({ x, targets }) => trainer.step({ x, targets, ...(tracked ? { precision: tracked } : {}) }),
    track: ({ targets }) => {
      if (!tracker) return
      for (let t = 0; t + 1 < steps; t++) {
        const column = targets.data.subarray(t * batch, (t + 1) * batch)
        tracked = tracker.update(tracked as NonNullable<typeof tracked>, missRates(column, experts))
      }
    },
    prepare: () => trainer.prepare(steps),
    dispose: () => trainer.dispose(),
  }
}

async function run(
  backend: Backend,
  job: Job,
  settings: AblationSettings,
  onEpoch?: (done: number) => void | Promise<void>,
): Promise<Run> {
  const { epochs, switchAt } = settings
  const scored = Math.min(settings.scoredEpochs, epochs)
  const sums = { accuracyAll: 0, accuracyTransition: 0, massAll: 0, massTransition: 0 }
  const training = await openAblation(backend, job, settings)
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const batch = training.sample()
      const result = await training.step(batch)
      if (epoch >= epochs - scored) {
        const scores = scoreSteps(await result.featureMajorLogits(), batch.targets, switchAt - 1)
        sums.accuracyAll += scores.accuracyAll
        sums.accuracyTransition += scores.accuracyAt
        sums.massAll += scores.massAll
        sums.massTransition += scores.massAt
      }
      training.track(batch)
      const pause = onEpoch?.(epoch + 1)
      if (pause) await pause
    }
  } finally {
    await training.dispose()
  }
  const metrics: Record<AblationMetric, number> = {
    accuracyAll: sums.accuracyAll / scored,
    accuracyTransition: sums.accuracyTransition / scored,
    massAll: sums.massAll / scored,
    massTransition: sums.massTransition / scored,
    // Infinity is no JSON: a gate that gives the right expert nothing would need more draws than anybody makes.
    k99: expertsForCoverage(sums.massTransition / scored, { cap: 1e9 }),
  }
  return { experiment: 'ablation', ...job, backend: backend.name, metrics }
}

/** Metrics of every condition, paired gains over the baseline at the transition, and the interaction of β and Ant. */
function summarize(runs: readonly Run[], { seeds, quick }: AblationSettings): SummaryRow[] {
  const byJob = new Map(runs.map((r) => [`${r.condition}/${r.seed}`, r.metrics]))
  const at = (condition: AblationCondition, metric: AblationMetric, seed: number): number =>
    (byJob.get(`${condition}/${seed}`) as Run['metrics'])[metric] as number
  const each = (value: (seed: number) => number) => seeds.map(value)
  const gain = (condition: AblationCondition, metric: AblationMetric) => (seed: number) =>
    at(condition, metric, seed) - at('baseline', metric, seed)
  const interaction = (metric: AblationMetric) => (seed: number) =>
    gain('beta+ant', metric)(seed) - gain('beta', metric)(seed) - gain('ant', metric)(seed)
  const compare = { compare: !quick }
  const conditions = Object.keys(ablationConditions) as AblationCondition[]
  const metrics = ['accuracyAll', 'accuracyTransition', 'massAll', 'massTransition', 'k99'] as const
  return [
    ...conditions.flatMap((c) =>
      metrics.map((m) =>
        summaryRow(
          c,
          m,
          each((s) => at(c, m, s)),
          publishedMetrics[c][m] ?? null,
          compare,
        ),
      ),
    ),
    ...conditions
      .filter((c) => c !== 'baseline')
      .map((c) =>
        summaryRow(
          c,
          'accuracyTransitionGain',
          each(gain(c, 'accuracyTransition')),
          publishedGains[c] ?? null,
          compare,
        ),
      ),
    ...(['accuracyTransition', 'massTransition'] as const).map((m) =>
      summaryRow('beta+ant', `${m}Interaction`, each(interaction(m)), publishedInteractions[m], compare),
    ),
  ]
}

/** The ablation. */
export const ablation: Experiment<AblationSettings> = {
  name: 'ablation',
  title: 'Ablation of memory, precision and anticipation on a stream with one domain switch',
  source: 'arXiv 2605.00604, §4.4, Tables 4 and 5',
  conditions: Object.keys(ablationConditions),
  settings: (overrides: SettingsOverrides = {}) => {
    const given = schemas.parse(overridesSchema, overrides, 'settings')
    const base = given.quick ? { ...paperSettings, ...quickSettings } : paperSettings
    return { ...base, seeds: given.seeds ?? base.seeds, epochs: given.epochs ?? base.epochs }
  },
  // A predictor of 16-64-16 multiplies most; memory adds a scan.
  cost: (condition) => (condition.includes('ant') ? 2.5 : 1) + (condition.includes('beta') ? 0.4 : 0),
  run,
  summarize,
  report: ablationReport,
}
