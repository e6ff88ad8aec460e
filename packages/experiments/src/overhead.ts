/**
 * What the gates cost (§3.4 of paper A, «Overhead»): parameters, state per sequence and arithmetic per token, counted from each
 * gate's own graph, beside what the text says and beside one expert. Nothing is trained; time is a matter of benchmarks.
 */
import {
  createGate,
  FepError,
  type GateConfig,
  gateStates,
  graphCost,
  type PresetName,
  preset,
  schemas,
  sequenceGraph,
  show,
} from '@fep-moe/core'
import * as v from 'valibot'
import type { Experiment, ExperimentSettings, Outcome } from './experiment.js'
import { type Metric, type Metrics, unlimited } from './metric.js'
import type { Bound, Run } from './results.js'
import { changeSettings, experimentEntries } from './settings.js'
import { summarizeRuns } from './summary.js'
import type { Table } from './table.js'

/** Gates by the preset that configures them. `additive` is the form that §3.4 composes. */
const FORMS = {
  affinity: 'affinity',
  beta: 'paper-a/beta',
  pi: 'paper-a/pi',
  ant: 'paper-a/ant',
  'beta+ant': 'paper-a/beta+ant',
  additive: 'paper-a/additive',
} as const satisfies Readonly<Record<string, PresetName>>

const conditions = Object.keys(FORMS)

/** The ablation's size, the language model's, and one of a large model. */
const SIZES = [
  { dim: 16, experts: 4 },
  { dim: 64, experts: 2 },
  { dim: 4096, experts: 64 },
] as const
type Size = (typeof SIZES)[number]

const counted = (label: string): Metric => ({ ...unlimited(label, 0), exact: true })

/** Counts, by width: `parameters16`, `state16` (numbers per sequence), `flops16` (per token, multiplications and additions). */
const metrics: Metrics = Object.fromEntries(
  SIZES.flatMap(({ dim }) => [
    [`parameters${dim}`, counted(`parameters, d = ${dim}`)],
    [`state${dim}`, counted(`state per sequence, d = ${dim}`)],
    [`flops${dim}`, counted(`FLOPs per token, d = ${dim}`)],
  ]),
)

/** Tokens of the sequence that is counted. */
const STEPS = 64

function count(config: GateConfig): { parameters: number; state: number; flops: number } {
  const gate = createGate(config)
  const size = (shape: readonly number[]) => shape.reduce((n, d) => n * d, 1)
  const graph = sequenceGraph(gate.config, { steps: STEPS, next: false })
  return {
    parameters: gate.params.reduce((n, { shape }) => n + size(shape), 0),
    state: gateStates(gate.config).reduce((n, { width }) => n + width, 0),
    flops: Math.round(graphCost(graph, 1).total.flops / STEPS),
  }
}

/** Parameters as the text gives them: a decay per dimension, nothing learned for Π, Linear(in, 4d) and Linear(4d, d). */
function described({ dim: d, experts }: Size): Readonly<Record<string, number>> {
  const affinity = d * experts + experts
  const predictor = (inputs: number) => inputs * 4 * d + 4 * d + 4 * d * d + d
  return {
    affinity,
    beta: affinity + d,
    pi: affinity,
    ant: affinity + predictor(d),
    'beta+ant': affinity + d + predictor(2 * d),
    additive: affinity + d + predictor(2 * d) + d * experts,
    predictor: predictor(2 * d),
    // Linear(d, 4d) and Linear(4d, d), the experts of the paper's language model.
    expert: 8 * d * d + 5 * d,
    tenthOfExperts: (experts * (8 * d * d + 5 * d)) / 10,
  }
}

/** Parameters as described, and `twiceAffinity` on `flopsN`: two products W x. */
const bounds = (): Bound[] =>
  SIZES.flatMap((size) => [
    ...Object.entries(described(size)).map(([name, value]) => ({
      name,
      metric: `parameters${size.dim}`,
      value,
    })),
    { name: 'twiceAffinity', metric: `flops${size.dim}`, value: 4 * size.dim * size.experts },
  ])

function tables({ summary }: Outcome): Table[] {
  const of = (condition: string, metric: string) =>
    summary.find((row) => row.condition === condition && row.metric === metric)?.ours.mean ?? 0
  const times = (x: number) => (x < 0.01 ? '<0.01' : x.toPrecision(3))
  return SIZES.map((size) => {
    const { dim, experts } = size
    const { expert } = described(size) as { expert: number }
    return {
      title: `Cost of a gate, d ${dim}, E ${experts}`,
      columns: ['gate', 'parameters', 'of one expert', 'state', 'FLOPs per token', 'of one expert'],
      rows: conditions.map((c) => {
        const [parameters, state, flops] = ['parameters', 'state', 'flops'].map((m) =>
          of(c, `${m}${dim}`),
        ) as [number, number, number]
        return [
          c,
          String(parameters),
          times(parameters / expert),
          String(state),
          String(flops),
          times(flops / (16 * dim * dim)),
        ]
      }),
      notes: [
        'One expert: Linear(d, 4d), Linear(4d, d), 16 d² FLOPs. State: numbers per sequence. Π keeps a variance per expert for all sequences.',
      ],
    }
  })
}

const published: ExperimentSettings = { seeds: [42], epochs: 1, quick: false }

/** The cost of the gates. */
export const overhead: Experiment = {
  name: 'overhead',
  title: 'What the gates cost: parameters, state and arithmetic',
  source: 'arXiv 2605.00604, §3.4',
  metrics,
  conditions,
  trains: false,
  settings: (overrides) => changeSettings(published, {}, overrides),
  restore: (settings) => schemas.parse(v.strictObject(experimentEntries), settings, 'settings'),
  cost: () => 0.1,
  run: async (backend, { condition, seed }, _, onEpoch): Promise<Run> => {
    const name = conditions.find((c) => c === condition) as keyof typeof FORMS | undefined
    if (!name)
      throw new FepError(
        'FEP_BAD_CONFIG',
        `overhead.condition is ${show(condition)}; accepted: ${conditions.join(', ')}`,
      )
    const found = SIZES.flatMap((size) =>
      Object.entries(count(preset(FORMS[name], size))).map(([what, n]) => [`${what}${size.dim}`, n] as const),
    )
    await onEpoch?.(1)
    const counts = Object.fromEntries(found)
    return { experiment: 'overhead', condition, seed, backend: backend.name, metrics: counts, series: {} }
  },
  summarize: (runs, settings) => summarizeRuns(runs, settings, conditions, metrics, {}),
  bounds,
  tables,
  figures: () => [],
}
