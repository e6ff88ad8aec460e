/**
 * How much the decay of the membrane matters on the ablation's stream: accuracy against fixed β, with and without
 * anticipation, and the learned β beside it. No paper has it; it answers what a reader of Table 5 asks next.
 */
import { FepError, type GateConfig, show } from '@fep-moe/core'
import { boundsTable, domainSwitchBoundRows } from './domain-switch/bounds.js'
import { domainSwitchMetrics, runDomainSwitch } from './domain-switch/run.js'
import {
  type DomainSwitchSettings,
  domainSwitchSettings,
  restoreDomainSwitch,
} from './domain-switch/settings.js'
import type { Experiment, Outcome } from './experiment.js'
import { type Figure, type Point, type Series, seriesOverSeeds } from './figure.js'
import { type Run, type SummaryRow, summarizer } from './results.js'
import { formatEstimate, type Table } from './table.js'

/** Fixed decays, and the one that is learned from .9 on. */
const DECAYS = [0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99] as const
const KINDS = ['beta', 'beta+ant'] as const
const values = [...DECAYS.map(String), 'learned']
const conditions = KINDS.flatMap((kind) => values.map((value) => `${kind} ${value}`))

function gateOf(condition: string, { dim, experts }: DomainSwitchSettings): GateConfig {
  if (!conditions.includes(condition))
    throw new FepError(
      'FEP_BAD_CONFIG',
      `sensitivity.condition is ${show(condition)}; accepted: ${conditions.join(', ')}`,
    )
  const [kind, value] = condition.split(' ') as [string, string]
  const learned = value === 'learned'
  return {
    dim,
    experts,
    memory: { kind: 'leaky', learned, beta: learned ? 0.9 : Number(value) },
    ...(kind === 'beta+ant'
      ? { anticipation: { kind: 'direct', activation: 'relu', lossWeight: 0.5 } as const }
      : {}),
  }
}

const metricNames = ['accuracyAll', 'accuracyTransition', 'massAll', 'massTransition'] as const

function summarize(runs: readonly Run[], { seeds }: DomainSwitchSettings): SummaryRow[] {
  const { row } = summarizer(domainSwitchMetrics)
  const of = (condition: string, metric: string) =>
    seeds.map((seed) => {
      const run = runs.find((r) => r.condition === condition && r.seed === seed) as Run
      return run.metrics[metric] as number
    })
  return conditions.flatMap((c) => metricNames.map((m) => row(c, m, of(c, m))))
}

function tables({ summary, settings }: Outcome<DomainSwitchSettings>): Table[] {
  const cell = (condition: string, metric: string) =>
    formatEstimate(summary.find((r) => r.condition === condition && r.metric === metric)?.ours ?? null)
  const t = settings.switchAt - 1
  return [
    {
      title: 'Accuracy and gate mass by the decay of the membrane',
      columns: ['condition', 'acc all', `acc t=${t}`, 'mass all', `mass t=${t}`],
      rows: conditions.map((c) => [c, ...metricNames.map((m) => cell(c, m))]),
    },
    boundsTable(settings),
  ]
}

function figures({ runs, summary, settings }: Outcome<DomainSwitchSettings>): Figure[] {
  const estimateOf = (condition: string, metric: string) =>
    summary.find((r) => r.condition === condition && r.metric === metric)?.ours ?? {
      mean: 0,
      std: null,
      n: 1,
    }
  const point = (x: number, condition: string, metric: string): Point => {
    const { mean, std } = estimateOf(condition, metric)
    return { x, y: mean, ...(std === null ? {} : { low: mean - std, high: mean + std }) }
  }
  /** Mean of the learned decays over dimensions and seeds. */
  const learned = (kind: string) => {
    const { points } = seriesOverSeeds(runs, `${kind} learned`, 'beta')
    return points.reduce((sum, { y }) => sum + y, 0) / Math.max(1, points.length)
  }
  const series = (kind: string, metric: string, slot: number): Series[] => [
    { name: `${kind}, fixed β`, slot, points: DECAYS.map((x) => point(x, `${kind} ${x}`, metric)) },
    {
      name: `${kind}, learned β (mean)`,
      slot: slot + 2,
      style: 'dots',
      points: [point(learned(kind), `${kind} learned`, metric)],
    },
  ]
  const t = settings.switchAt - 1
  const panel = (title: string, metric: string) => ({
    title,
    series: KINDS.flatMap((kind, slot) => series(kind, metric, slot)),
  })
  return [
    {
      id: 'sensitivity',
      title: 'Accuracy against the decay of the membrane',
      caption: `Argmax accuracy of gates whose β is the same in all dimensions and not trained, and of gates that learn it from .9 on, at the mean of their β. Read both panels together: a gate can be right before the switch by being wrong elsewhere. Bands and bars are ± one standard deviation over seeds.`,
      x: { label: 'decay β per step', domain: [0.25, 1] },
      y: { label: 'accuracy (share of sequences)', domain: [0, 1] },
      panels: [panel('all steps', 'accuracyAll'), panel(`t = ${t}, before the switch`, 'accuracyTransition')],
    },
  ]
}

/** The sensitivity of the ablation to β. */
export const sensitivity: Experiment<DomainSwitchSettings> = {
  name: 'sensitivity',
  title: 'Accuracy against the decay of the membrane on the ablation’s stream',
  source: 'not published; task and training of arXiv 2605.00604, §4.4',
  metrics: domainSwitchMetrics,
  conditions,
  settings: domainSwitchSettings,
  restore: restoreDomainSwitch,
  cost: (condition) => (condition.includes('ant') ? 3.9 : 1.9),
  amongAll: { seeds: 1 },
  run: async (backend, job, settings, onEpoch) =>
    runDomainSwitch(
      backend,
      { experiment: 'sensitivity', ...job },
      gateOf(job.condition, settings),
      settings,
      onEpoch,
    ),
  summarize,
  bounds: domainSwitchBoundRows,
  tables,
  figures,
}
