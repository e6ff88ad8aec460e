/** What routers hold right over one example stream, beside the exact filter and the truth; and what mixtures forget. */
import type { Outcome } from '../experiment.js'
import { type Figure, type Panel, type Series, seriesOverSeeds } from '../figure.js'
import { blockOf } from '../series.js'
import { continual } from '../tasks/continual.js'
import { strideOf } from './bounds.js'
import type { contenders } from './contenders.js'
import { CONTINUAL, mixtures } from './continual.js'
import { conditionOf } from './run.js'
import { type ComparedTask, comparedStream, comparedTasks, type PastThePaperSettings } from './settings.js'

type Name = keyof typeof contenders

/** Routers that a panel has room for beside the filter. */
const SHOWN = ['affinity', 'beta+ant', 'gru-state', 'belief'] as const satisfies readonly Name[]

/** The task whose beliefs are shown in full. */
const EXAMPLE = 'renewal' satisfies ComparedTask

/** The series of one stream of a task: those of the first seed. */
function streamOf(task: ComparedTask, { runs, settings }: Outcome<PastThePaperSettings>) {
  const seed = settings.seeds[0] as number
  const { steps } = comparedStream(task)
  const of = (router: Name) =>
    runs.find((r) => r.condition === conditionOf(task, router) && r.seed === seed)?.series
  const right = of('affinity')?.right
  const at = (i: number) => i * strideOf(steps)
  const marks = (right ?? []).flatMap((expert, i) =>
    i > 0 && expert !== right?.[i - 1] ? [{ axis: 'x' as const, at: at(i), label: '' }] : [],
  )
  return { seed, of, right, at, marks, x: { label: 'step', domain: [0, steps - 1] as const } }
}

/** The belief over time, then a figure for each task. */
export function pastThePaperFigures(outcome: Outcome<PastThePaperSettings>): Figure[] {
  return [
    ...beliefOverTime(outcome),
    ...comparedTasks.flatMap((task) => rightOverTime(task, outcome)),
    ...forgetting(outcome),
  ]
}

/** Every expert's probability: the truth, the exact filter, a learned one, and the paper's gate. */
function beliefOverTime(outcome: Outcome<PastThePaperSettings>): Figure[] {
  const { seed, of, right, at, marks, x } = streamOf(EXAMPLE, outcome)
  if (!right) return []
  const lines = (value: (expert: number, i: number) => number | undefined): Series[] =>
    Array.from({ length: comparedStream(EXAMPLE).experts }, (_, expert) => ({
      name: `expert ${expert}`,
      slot: expert,
      points: right.map((_, i) => ({ x: at(i), y: value(expert, i) ?? Number.NaN })),
    }))
  const held = (router: Name, kind: 'router' | 'bound') =>
    lines((expert, i) => of(router)?.[`${kind}${expert}`]?.[i])
  const panels: Panel[] = [
    { title: 'right at the next step', series: lines((expert, i) => (right[i] === expert ? 1 : 0)) },
    { title: 'exact filter', series: held('affinity', 'bound') },
    { title: 'belief gate', series: held('belief', 'router') },
    { title: 'β + anticipation', series: held('beta+ant', 'router') },
  ]
  return [
    {
      id: 'belief-over-time',
      title: 'Belief over time: the truth, the exact filter, and what gates learned',
      caption: `Probability of each expert for the next step, over the first sequence of ${EXAMPLE} that seed ${seed} is scored on. Dotted lines mark where the right expert changes. The filter knows the law of the stream; the gates have learned it.`,
      x,
      y: { label: 'probability', domain: [0, 1] as const },
      panels: panels.map((panel) => ({ ...panel, marks })),
    },
  ]
}

/** Of what is right at the next step: how probable it was held. */
function rightOverTime(task: ComparedTask, outcome: Outcome<PastThePaperSettings>): Figure[] {
  const { seed, of, right, at, marks, x } = streamOf(task, outcome)
  if (!right) return []
  const line = (name: string, router: Name, kind: 'router' | 'bound', slot: number): Series => ({
    name,
    slot,
    style: kind === 'bound' ? 'bound' : 'line',
    points: right.map((expert, i) => ({ x: at(i), y: of(router)?.[`${kind}${expert}`]?.[i] ?? Number.NaN })),
  })
  const panel: Panel = {
    title: '',
    series: [
      ...SHOWN.map((router, slot) => line(router, router, 'router', slot)),
      line('exact filter', 'affinity', 'bound', 7),
    ],
    marks,
  }
  return [
    {
      id: `belief-${task}`,
      title: `Belief in what is right: ${task}`,
      caption: `Probability that routers give the right expert of the next step, over the first sequence of seed ${seed} that they are scored on; dotted lines mark where that expert changes. No gate can hold the right one more probable on average than the exact filter.`,
      x,
      y: { label: 'probability of the right expert', domain: [0, 1] as const },
      panels: [panel],
    },
  ]
}

/** Errors on every domain while they are learned one after another. */
function forgetting({ runs, settings }: Outcome<PastThePaperSettings>): Figure[] {
  if (!runs.some(({ condition }) => condition.startsWith(`${CONTINUAL} `))) return []
  const { domainEpochs } = settings
  const block = blockOf(continual.domains * domainEpochs)
  const ends = Array.from(
    { length: Math.floor((continual.domains * domainEpochs) / block) },
    (_, i) => (i + 1) * block,
  )
  const domains = Array.from({ length: continual.domains }, (_, domain) => domain)
  return [
    {
      id: CONTINUAL,
      title: 'Three domains, one after another',
      caption: `Squared error on fresh sequences of each domain while a mixture is trained on them in turn, ${domainEpochs} updates each and none again; dotted lines mark where the domain changes. Means over seeds with their standard deviation.`,
      x: { label: 'update' },
      y: { label: 'squared error' },
      panels: Object.keys(mixtures).map((router) => ({
        title: router,
        series: domains.map((domain) =>
          seriesOverSeeds(runs, conditionOf(CONTINUAL, router), `error${domain}`, {
            name: `domain ${domain + 1}`,
            slot: domain,
            xs: ends,
          }),
        ),
        marks: domains.slice(1).map((n) => ({ axis: 'x' as const, at: n * domainEpochs, label: '' })),
      })),
    },
  ]
}
