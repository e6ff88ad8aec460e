/** Table and figures of §3.4. */
import { boundsTable } from '../domain-switch/bounds.js'
import type { Outcome } from '../experiment.js'
import { type Figure, seriesOverSeeds } from '../figure.js'
import { cellsOf, comparisonNotes, describeSeeds } from '../summary.js'
import type { Table } from '../table.js'
import { routingEntropyMetrics } from './metrics.js'
import { routingEntropyConditions } from './run.js'
import type { RoutingEntropySettings } from './settings.js'

const conditions = Object.keys(routingEntropyConditions)

/** Accuracy and mass side by side, K from both, entropy, and the bounds. */
export function routingEntropyTables({ summary, settings }: Outcome<RoutingEntropySettings>): Table[] {
  const { ours, pair, agrees } = cellsOf(summary, routingEntropyMetrics)
  const { switchAt, evaluationBatch, evaluationBatches, experts } = settings
  const t = switchAt - 1
  return [
    {
      title: `§3.4: accuracy (argmax) and gate mass (weight on the right expert), on ${evaluationBatches} × ${evaluationBatch} fresh sequences; ${describeSeeds(settings)}`,
      columns: [
        'condition',
        'acc all',
        `acc t=${t}`,
        'paper',
        'mass all',
        `mass t=${t}`,
        'prototype',
        'agrees',
      ],
      rows: conditions.map((c) => [
        c,
        ours(c, 'accuracyAll'),
        ...pair(c, 'accuracyTransition'),
        ours(c, 'massAll'),
        ...pair(c, 'massTransition'),
        agrees(c, 'accuracyTransition', 'massTransition'),
      ]),
      notes: comparisonNotes(
        settings,
        'agrees: every difference is at most max(.01, 3 √(s₁²/n₁ + s₂²/n₂)).',
        'The paper calls its .006 and .748 probabilities; they are accuracies. «prototype»: gate mass from runs of its own PyTorch code.',
      ),
    },
    {
      title: `Draws that cover the right expert at t = ${t} with 99 %, K = ln(.01) / ln(1 − p), and entropy in nats`,
      columns: [
        'condition',
        'K from mass',
        'prototype',
        'K from accuracy',
        'paper',
        'entropy all',
        `entropy t=${t}`,
        'agrees',
      ],
      rows: conditions.map((c) => [
        c,
        ...pair(c, 'k99'),
        ...pair(c, 'k99Accuracy'),
        ours(c, 'entropyAll'),
        ours(c, 'entropyTransition'),
        agrees(c, 'k99', 'k99Accuracy'),
      ]),
      notes: [
        `p is a chance per draw, which mass is and accuracy is not. K is a number of draws with replacement and not capped at the ${experts} experts.`,
        `A uniform gate has an entropy of ln ${experts} = ${Math.log(experts).toFixed(3)}.`,
      ],
    },
    boundsTable(settings),
  ]
}

/** Mass and entropy per step. */
export function routingEntropyFigures({ runs, settings }: Outcome<RoutingEntropySettings>): Figure[] {
  const { steps, switchAt, experts, seeds } = settings
  const bands = seeds.length > 1 ? ' Bands are ± one standard deviation over seeds.' : ''
  const x = {
    label: 'step t',
    domain: [0, steps - 2] as const,
    ticks: Array.from({ length: steps - 1 }, (_, t) => t),
  }
  const panels = (of: string) => [
    {
      title: '',
      series: conditions.map((c, slot) => seriesOverSeeds(runs, c, of, { slot })),
      marks: [{ axis: 'x' as const, at: switchAt - 1, label: 'last step before the switch' }],
    },
  ]
  return [
    {
      id: 'mass-per-step',
      title: 'Gate mass per step',
      caption: `Mean softmax weight on the right expert, trained with the cross-entropy of weights instead of logits. Such a loss drives gates to near certainty, right or wrong: before the switch a gate without memory gives the right expert almost nothing.${bands}`,
      x,
      y: { label: 'gate mass (mean weight)', domain: [0, 1] },
      panels: panels('mass'),
    },
    {
      id: 'entropy-per-step',
      title: 'Entropy of the gate per step',
      caption: `Mean entropy of the weights; ln ${experts} = ${Math.log(experts).toFixed(2)} nats is uniform. A low entropy says that a gate is certain, not that it is right.${bands}`,
      x,
      y: { label: 'entropy (nats)' },
      panels: panels('entropy'),
    },
  ]
}
