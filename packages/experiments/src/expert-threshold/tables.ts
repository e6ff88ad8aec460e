/** Tables: losses and loads of all policies, how experts are shared out, what a new source does. */
import type { Outcome } from '../experiment.js'
import { cellsOf, describeSeeds } from '../summary.js'
import type { Table } from '../table.js'
import { conditionNames, thresholdLayerOf } from './conditions.js'
import { expertThresholdMetrics } from './metrics.js'
import type { ExpertThresholdSettings } from './settings.js'

/** Validation losses of the paper's 575M models, by the condition that is closest. */
const PAPER_LOSS: Readonly<Record<string, string>> = { 'tc aux': '2.893', ec: '2.841', et: '2.844' }

/** All tables of the experiment. */
export function expertThresholdTables({ summary, settings }: Outcome<ExpertThresholdSettings>): Table[] {
  const { ours } = cellsOf(summary, expertThresholdMetrics)
  const signed = (condition: string) => {
    const cell = ours(condition, 'lossChange')
    return cell === '' || cell.startsWith('-') ? cell : `+${cell}`
  }
  const { batch, steps, epochs, experts, scoredBatches, adaptDecay, calibrationBatches } = settings
  const chooses = conditionNames.filter((c) => thresholdLayerOf(c, settings) !== null)
  const table = (
    title: string,
    conditions: readonly string[],
    columns: Readonly<Record<string, (condition: string) => string>>,
    notes: readonly string[],
  ): Table => ({
    title,
    columns: ['condition', ...Object.keys(columns)],
    rows: conditions.map((c) => [c, ...Object.values(columns).map((cell) => cell(c))]),
    notes,
  })
  const of = (metric: string) => (condition: string) => ours(condition, metric)
  return [
    table(
      `Loss on held-out text; ${describeSeeds(settings)}, ${epochs} steps of ${batch} × ${steps} bytes`,
      conditionNames,
      {
        'nats per byte': of('loss'),
        perplexity: of('perplexity'),
        '− et': signed,
        'paper, 575M': (c) => PAPER_LOSS[c] ?? '',
        'own choice': of('lossChoice'),
      },
      [
        'tc: token choice, plain, with load-balance loss, with loss-free bias. ec: expert choice among an eighth of the batch, half of it, all of it. et: Expert Threshold; cold: without warm-up by expert choice; unshared: without a shared expert.',
        `Scored on ${Math.max(2, scoredBatches)} batches. Models whose experts choose are scored under Expert Threshold inference, with the cutoffs that their training averaged; «own choice» is the loss of expert choice itself, which sees later bytes and other sequences.`,
        '«− et»: the difference in loss, paired by seed. The paper’s losses are of other models on other text, per token: they are there for their order.',
      ],
    ),
    table(
      `Imbalance: the largest load of ${experts} experts over their target`,
      conditionNames,
      {
        'end of training': of('imbalanceTraining'),
        'held-out text': of('imbalance'),
        'new source': of('imbalanceUnseen'),
        'clamped in training': of('clamped'),
      },
      [
        'End of training: the last tenth of the steps, by the rule that trained. New source: text of a kind that no training saw, with cutoffs frozen. «clamped»: share of experts and steps, after warm-up, where capacity changed what the cutoff decided.',
      ],
    ),
    table(
      'How experts are shared out among tokens of held-out text',
      conditionNames,
      {
        routed: of('fanout'),
        std: of('fanoutSpread'),
        'none routed': of('unrouted'),
        'with loss': of('fanoutCorrelation'),
        'hard − easy': of('fanoutHardMinusEasy'),
        'changes with the batch': of('routingChanged'),
        'own choice': of('routingChangedChoice'),
      },
      [
        'Routed experts per token, their standard deviation over tokens, and their correlation with a token’s loss. «hard − easy»: those of the tenth of the tokens with the largest loss, minus those of the tenth with the smallest.',
        '«changes with the batch»: share of the tokens that get other experts when their sequence arrives among other sequences, in another order, or alone.',
      ],
    ),
    table(
      'A source that no training saw: cutoffs frozen, adapted, calibrated again',
      chooses,
      {
        'load, frozen': of('imbalanceUnseen'),
        adapted: of('imbalanceAdapted'),
        recalibrated: of('imbalanceRecalibrated'),
        'loss, frozen': of('lossUnseen'),
        'adapted ': of('lossAdapted'),
        'recalibrated ': of('lossRecalibrated'),
        'cutoffs moved right': of('cutoffsFollowed'),
      },
      [
        `Trained on a novel and on speeches, served verses. Adapted: one update after every batch, decay ${adaptDecay}. Recalibrated: quantiles of the logits of ${calibrationBatches} other batches of verses. Scored on the second half of ${scoredBatches} batches; load is max load / target.`,
        '«cutoffs moved right»: share of experts whose cutoff adapting moved up where too many tokens passed the frozen one, and down where too few did.',
      ],
    ),
    table(
      'Cost of a token',
      conditionNames,
      {
        parameters: of('parameters'),
        'FLOPs in experts': of('expertFlops'),
        'most pairs of a batch / mean': of('pairsPeak'),
      },
      [
        'Thresholds fix no number of pairs of a batch: the last column is by how much its work varies. For bytes per second: `fep-moe bench train --experiment expert-threshold`.',
      ],
    ),
  ]
}
