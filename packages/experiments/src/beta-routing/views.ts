/** Tables and figures of Table 1. */
import type { Outcome } from '../experiment.js'
import { type Figure, type Series, seriesOverSeeds } from '../figure.js'
import { blockSteps } from '../series.js'
import { cellsOf, comparisonNotes, describeSeeds } from '../summary.js'
import type { Table } from '../table.js'
import { bestDecay, type LastStepBounds, lastStepBounds } from '../tasks/last-step-bounds.js'
import { betaRoutingMetrics, betaRoutingPublished, EXPERTS } from './metrics.js'
import { betaRoutingConditions } from './run.js'
import { type BetaRoutingSettings, TASKS, taskOf } from './settings.js'

/** What each bound stands for. */
function weightsOf(settings: BetaRoutingSettings) {
  const best = TASKS.map((task) => bestDecay(taskOf(task, settings)).toFixed(2))
  return {
    lastToken: 'the last token alone',
    meanPool: 'all tokens alike',
    membrane: `a membrane without a cap, β = ${TASKS.map((task) => settings.beta[task]).join(' and ')}`,
    bestMembrane: `a membrane without a cap, the best β: ${best.join(' and ')}`,
    fullHistory: 'all tokens, knowing what each step shows',
  } as const
}

/** Bounds by task. */
export const boundsByTask = (settings: BetaRoutingSettings) =>
  TASKS.map((task) => lastStepBounds(taskOf(task, settings), settings.beta[task]))

/** Table 1, the learned decays, the bounds. */
export function betaRoutingTables({ summary, settings }: Outcome<BetaRoutingSettings>): Table[] {
  const { ours, pair, agrees } = cellsOf(summary, betaRoutingMetrics)
  const [a, b] = boundsByTask(settings)
  const { epochs, batch, signalSteps, switchAt } = settings
  return [
    {
      title: `Table 1: accuracy (argmax) and gate mass at the last step; ${describeSeeds(settings)}, ${epochs} epochs of ${batch} sequences`,
      columns: [
        'condition',
        'acc A',
        'paper (one run)',
        'acc B',
        'paper (one run)',
        'mass A',
        'mass B',
        'agrees',
      ],
      rows: betaRoutingConditions.map((c) => [
        c,
        ...pair(c, 'accuracyA'),
        ...pair(c, 'accuracyB'),
        ours(c, 'massA'),
        ours(c, 'massB'),
        agrees(c, 'accuracyA', 'accuracyB'),
      ]),
      notes: [
        `Task A shows the domain in the first ${signalSteps} steps, task B from step ${switchAt} on, after the other domain.`,
        'lif-learned-crossed starts from the decay that the other task was tuned to; the paper has no row for it.',
        ...comparisonNotes(
          settings,
          'agrees: the published run lies within 3 of our standard deviations and half its last digit.',
        ),
      ],
    },
    {
      title: 'Learned decay β per expert',
      columns: ['task and expert', 'ours', 'paper (one run)', 'agrees'],
      rows: TASKS.flatMap((task) => [
        ...EXPERTS.map((e) => decayRow(`${task}, expert ${e}${e % 2 ? ' (decoy)' : ''}`, `beta${e}${task}`)),
        decayRow(`${task}, mean`, `betaMean${task}`),
      ]),
    },
    {
      title: 'Exact accuracy of the best gate that weighs the steps so',
      columns: ['weighs', 'acc A', 'acc B'],
      rows: Object.entries(weightsOf(settings)).map(([name, text]) => [
        text,
        ...[a, b].map((bounds) => (bounds?.[name as keyof LastStepBounds] ?? 0).toFixed(4)),
      ]),
      notes: [
        'In task B the soft cap lifts a fixed β above what its membrane could do without: what came before the switch is kept small.',
      ],
    },
  ]

  function decayRow(label: string, metric: string): string[] {
    return [label, ...pair('lif-learned', metric), agrees('lif-learned', metric)]
  }
}

/** The learned decays, and the loss over the training. */
export function betaRoutingFigures({ runs, settings }: Outcome<BetaRoutingSettings>): Figure[] {
  const seeds = settings.seeds.length > 1
  const steps = blockSteps(settings.epochs)
  const published = (task: string): Series => ({
    name: 'published, one run',
    style: 'dots',
    slot: 1,
    points: EXPERTS.flatMap((e) => {
      const figure = betaRoutingPublished['lif-learned']?.[`beta${e}${task}`]
      return figure ? [{ x: e + 0.12, y: figure.mean }] : []
    }),
  })
  // The loss is taken on weights, which lie in 0..1: even a certain gate has some left.
  const least = Math.log(Math.E + settings.experts - 1) - 1
  return [
    {
      id: 'learned-beta',
      title: 'Learned decay per expert',
      caption: `β = σ(β_raw) of every expert's membrane after training. Experts 0 and 2 are right in half of the sequences each, 1 and 3 never. Dotted lines: where training starts.${seeds ? ' Bars are ± one standard deviation over seeds.' : ''}`,
      x: { label: 'expert', domain: [-0.5, settings.experts - 0.5], ticks: [...EXPERTS] },
      y: { label: 'decay β per step', domain: [0.5, 1] },
      panels: TASKS.map((task) => ({
        title: `task ${task}`,
        series: [
          seriesOverSeeds(runs, 'lif-learned', `beta${task}`, { name: 'ours', style: 'dots', slot: 0 }),
          published(task),
        ],
        marks: [{ axis: 'y' as const, at: settings.beta[task], label: 'start' }],
      })),
    },
    {
      id: 'loss-over-training',
      title: 'Loss over the training',
      caption: `Cross-entropy of the gate's weights used as logits (softmax twice, as in the paper's code), so that no gate gets below ${least.toFixed(3)} (dotted). Means over consecutive epochs.${seeds ? ' Bands are ± one standard deviation over seeds.' : ''}`,
      x: { label: 'epoch', domain: [0, settings.epochs] },
      y: { label: 'loss (nats)' },
      panels: TASKS.map((task) => ({
        title: `task ${task}`,
        series: betaRoutingConditions.map((c, slot) =>
          seriesOverSeeds(runs, c, `loss${task}`, { xs: steps, slot }),
        ),
        marks: [{ axis: 'y' as const, at: least, label: 'least' }],
      })),
    },
  ]
}
