/** The figures of the comparison. */
import type { Outcome } from '../experiment.js'
import { type Figure, type Panel, type Series, seriesOverSeeds } from '../figure.js'
import { blockSteps } from '../series.js'
import type { ExpertThresholdSettings } from './settings.js'
import { SERVICES } from './source-change.js'

/** Conditions that share a panel. */
const FAMILIES = {
  'token choice': ['tc', 'tc aux', 'tc bias'],
  'expert choice': ['ec eighth', 'ec half', 'ec'],
  'Expert Threshold': ['et', 'et cold', 'et unshared', 'et cold unshared'],
} as const
/** Colors: no two of one panel are alike. */
const SLOTS: Readonly<Record<string, number>> = {
  tc: 0,
  'tc aux': 1,
  'tc bias': 2,
  'ec eighth': 3,
  'ec half': 4,
  ec: 5,
  et: 6,
  'et cold': 7,
  'et unshared': 0,
  'et cold unshared': 3,
}

/** What is measured over training, on held-out text, and across a change of source. */
export function expertThresholdFigures({ runs, settings }: Outcome<ExpertThresholdSettings>): Figure[] {
  const { epochs, experts, warmUp, seeds } = settings
  const steps = blockSteps(epochs)
  const bands = seeds.length > 1 ? ' Bands are ± one standard deviation over seeds.' : ''
  const lines = (conditions: readonly string[], series: string, xs?: readonly number[]): Series[] =>
    conditions.map((c) =>
      seriesOverSeeds(runs, c, series, {
        ...(xs && { xs }),
        ...(c in SLOTS && { slot: SLOTS[c] as number }),
      }),
    )
  const families = (series: string, xs?: readonly number[]): Panel[] =>
    Object.entries(FAMILIES).map(([title, conditions]) => ({
      title,
      series: lines(conditions, series, xs).filter(({ points }) => points.length > 0),
    }))
  const overTraining = { label: 'optimizer step', domain: [0, epochs] as const }
  const windows = runs.find((run) => run.series['imbalance/frozen'])?.series['imbalance/frozen']?.length ?? 0
  const change = { axis: 'x' as const, at: windows / 2 - 0.5, label: 'the source changes' }
  const services = (what: string): Series[] =>
    SERVICES.map((service, slot) =>
      seriesOverSeeds(runs, 'et', `${what}/${service}`, { name: service, slot }),
    )
  const ideal = { axis: 'y' as const, at: 1, label: 'target' }
  return [
    {
      id: 'training-loss',
      title: 'Loss in training',
      caption: `Cross-entropy of the text alone, in blocks of steps.${bands}`,
      x: overTraining,
      y: { label: 'nats per byte' },
      panels: families('trainingLoss', steps),
    },
    {
      id: 'training-imbalance',
      title: 'Imbalance in training',
      caption: `The largest load of an expert over its target, of the tokens of a block of steps. Expert choice takes exactly its target and is not shown; Expert Threshold is trained by expert choice for ${warmUp} steps unless cold, and by cutoffs from then on.${bands}`,
      x: overTraining,
      y: { label: 'max load / target' },
      panels: families('trainingImbalance', steps)
        .filter(({ title }) => title !== 'expert choice')
        .map((panel) => ({ ...panel, marks: [ideal] })),
    },
    {
      id: 'load',
      title: 'Load of each expert on held-out text',
      caption: `Load over target, largest first. Models whose experts choose are served by threshold.${bands}`,
      x: { label: 'expert, by load', domain: [0, experts - 1] },
      y: { label: 'load / target' },
      panels: families('load').map((panel) => ({ ...panel, marks: [ideal] })),
    },
    {
      id: 'cutoffs',
      title: 'Cutoffs over training',
      caption: `The lowest, the middle and the highest cutoff of the experts, as averaged by training.${bands}`,
      x: overTraining,
      y: { label: 'cutoff (logit)' },
      panels: (['et', 'et cold', 'ec'] as const).map((condition) => ({
        title: condition,
        series: (['Low', 'Middle', 'High'] as const).map((which, slot) =>
          seriesOverSeeds(runs, condition, `cutoff${which}`, {
            name: { Low: 'lowest', Middle: 'middle', High: 'highest' }[which],
            slot,
            xs: steps,
          }),
        ),
      })),
    },
    {
      id: 'clamped',
      title: 'Cutoffs that capacity overrules',
      caption: `Share of the experts that took more or fewer tokens than their cutoff said, because capacity allows 1 ± ${settings.capacity} of the target. During warm-up nothing is decided by cutoffs.${bands}`,
      x: overTraining,
      y: { label: 'share of experts', domain: [0, 1] },
      panels: [{ title: '', series: lines(FAMILIES['Expert Threshold'], 'clamped', steps) }],
    },
    {
      id: 'fanout',
      title: 'How many routed experts a token gets',
      caption: `Share of the tokens of held-out text with so many routed experts, the shared one not counted.${bands}`,
      x: { label: 'routed experts', domain: [0, Math.min(experts, 8)] },
      y: { label: 'share of tokens', domain: [0, 1] },
      panels: [
        {
          title: '',
          series: lines(['ec', 'et', 'et cold', 'et unshared'], 'fanout').map((s) => ({
            ...s,
            points: s.points.slice(0, 9),
          })),
        },
      ],
    },
    {
      id: 'fanout-by-loss',
      title: 'Experts by how hard a token is',
      caption: `Mean number of routed experts of the tenth of the tokens with the smallest loss, of the next tenth, and so on. Flat would mean that experts are shared out without regard to difficulty.${bands}`,
      x: { label: 'tenth of the tokens, by loss', domain: [0, 9] },
      y: { label: 'routed experts' },
      panels: [{ title: '', series: lines(['ec', 'et', 'et cold', 'et unshared'], 'fanoutByLoss') }],
    },
    {
      id: 'source-change',
      title: 'Serving when the source changes',
      caption: `The model et serves novel and speeches, then verses, with its cutoffs as trained, adapted after every batch, or calibrated again on other verses. Batches per point: ${Math.round(settings.scoredBatches / Math.max(1, windows / 2))}; few batches are unbalanced by chance.${bands}`,
      x: { label: 'window of served batches' },
      y: { label: 'max load / target' },
      panels: [{ title: '', series: services('imbalance'), marks: [change, ideal] }],
    },
    {
      id: 'source-change-loss',
      title: 'Loss when the source changes',
      caption: `The same windows. What cutoffs can give back is small beside what unknown text costs.${bands}`,
      x: { label: 'window of served batches' },
      y: { label: 'nats per byte' },
      panels: [{ title: '', series: services('loss'), marks: [change] }],
    },
  ]
}
