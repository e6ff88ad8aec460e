/** What routers hold right over one example stream, beside the exact filter. */
import type { Outcome } from '../experiment.js'
import type { Figure, Panel } from '../figure.js'
import type { contenders } from './contenders.js'
import { comparedStream, comparedTasks, type PastThePaperSettings } from './settings.js'

/** Routers that a panel has room for beside the filter. */
const SHOWN = [
  'affinity',
  'beta+ant',
  'gru-state',
  'belief',
] as const satisfies readonly (keyof typeof contenders)[]

/** A figure for each task. */
export function pastThePaperFigures({ runs, settings }: Outcome<PastThePaperSettings>): Figure[] {
  return comparedTasks.flatMap((task) => {
    const { steps } = comparedStream(task)
    const seed = settings.seeds[0] as number
    const run = (router: string) =>
      runs.find((r) => r.condition === `${task}/${router}` && r.seed === seed)?.series
    const right = run('affinity')?.right
    if (!right) return []
    // Of what is right at the next step: how probable it was held.
    const line = (name: string, series: ReturnType<typeof run>, kind: 'router' | 'bound', slot: number) => ({
      name,
      slot,
      style: kind === 'bound' ? ('bound' as const) : ('line' as const),
      points: right.map((expert, t) => ({ x: t, y: series?.[`${kind}${expert}`]?.[t] ?? Number.NaN })),
    })
    const marks = right.flatMap((expert, t) =>
      t > 0 && expert !== right[t - 1] ? [{ axis: 'x' as const, at: t, label: '' }] : [],
    )
    const panel: Panel = {
      title: '',
      series: [
        ...SHOWN.map((router, slot) => line(router, run(router), 'router', slot)),
        line('exact filter', run('affinity'), 'bound', 7),
      ],
      marks,
    }
    return [
      {
        id: `belief-${task}`,
        title: `Belief over one stream: ${task}`,
        caption: `Probability that routers give the right expert of the next step, over the first sequence of seed ${seed} that they are scored on; dotted lines mark where that expert changes. No gate can hold the right one more probable on average than the exact filter.`,
        x: { label: 'step', domain: [0, steps - 1] as const },
        y: { label: 'probability of the right expert', domain: [0, 1] as const },
        panels: [panel],
      },
    ]
  })
}
