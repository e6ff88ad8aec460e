/** Figures of the precision experiment: the loss, Π over the swap, and what its speed costs. */
import type { Outcome } from '../experiment.js'
import { type Figure, type Point, type Series, seriesOverSeeds } from '../figure.js'
import { blockSteps } from '../series.js'
import { precisionBounds, settledNoise, updatesToCross } from './bounds.js'
import { EXPERTS } from './metrics.js'
import { WINDOW } from './run.js'
import { type PrecisionSettings, precisionConditions, SPEEDS } from './settings.js'

/** Updates that the slowest Π takes to cross. */
const SLOWEST = Math.max(...SPEEDS.map((c) => updatesToCross(precisionConditions[c].momentum)))

/** All figures. */
export function precisionFigures({ runs, summary, settings }: Outcome<PrecisionSettings>): Figure[] {
  const { epochs, shiftAt, batch } = settings
  const steps = blockSteps(epochs)
  const bands = settings.seeds.length > 1 ? ' Bands and bars are ± one standard deviation over seeds.' : ''
  const least = precisionBounds(settings).find(({ name }) => name === 'bestWeights')?.value ?? 0
  const loss = (kind: string, router: string, slot: number) =>
    seriesOverSeeds(runs, `${kind}-${router}`, 'loss', { name: router, xs: steps, slot })
  const start = Math.max(0, shiftAt - WINDOW.before)
  const around = Array.from({ length: WINDOW.before + WINDOW.after }, (_, i) => start + i)
  const swap = { axis: 'x' as const, at: shiftAt, label: 'swap' }
  // By the number of updates until mⁿ = ½.
  const formula: Series = {
    name: 'from m alone',
    style: 'bound',
    slot: 5,
    points: Array.from({ length: SLOWEST - 1 }, (_, i) => {
      const n = i + 2
      return { x: settledNoise(0.5 ** (1 / n), batch), y: n }
    }),
  }
  const tradeOff = SPEEDS.map((condition, slot): Series => {
    const find = (metric: string) =>
      summary.find((row) => row.condition === condition && row.metric === metric)?.ours
    const [noise, crossed] = [find('precisionNoise'), find('crossoverStep')]
    const name = `m = ${precisionConditions[condition].momentum}`
    if (!noise || !crossed) return { name, slot, style: 'dots', points: [] }
    const y = crossed.mean - shiftAt + 1
    const spread = crossed.std === null ? {} : { low: y - crossed.std, high: y + crossed.std }
    return { name, slot, style: 'dots', points: [{ x: noise.mean, y, ...spread }] }
  })
  const shown = [...tradeOff, formula].flatMap(({ points }) => points)
  const reach = (value: (p: Point) => number) => 1.05 * Math.max(...shown.map(value))
  return [
    {
      id: 'loss-over-steps',
      title: 'Loss over the training',
      caption: `Mean squared error of the mixture, means over consecutive steps. At step ${shiftAt} the shifting noise is swapped between experts 0 and 2: with Π the gate follows, without it the weights have to be learned again. Dotted: the least loss that any weights allow, ${least.toFixed(4)}.${bands}`,
      x: { label: 'step', domain: [0, epochs] },
      y: { label: 'loss (mean squared error)' },
      panels: ['static', 'shifting'].map((kind) => ({
        title: `${kind} noise`,
        series: [loss(kind, 'affinity', 0), loss(kind, 'precision', 1)],
        marks: [{ axis: 'y' as const, at: least, label: '' }, ...(kind === 'shifting' ? [swap] : [])],
      })),
    },
    {
      id: 'precision-over-the-swap',
      title: 'Π over the swap',
      caption: `Π of every expert after each step, by the m of its moving average. Expert 0 becomes unreliable at step ${shiftAt}, expert 2 reliable; experts 1 and 3 stay as they are. Π loses trust faster than it gains it: it is the inverse of what moves at equal speed.${bands}`,
      x: { label: 'step', domain: [start, Math.min(shiftAt + WINDOW.after, epochs) - 1] },
      y: { label: 'Π (1 / squared error)' },
      panels: SPEEDS.map((condition) => ({
        title: `m = ${precisionConditions[condition].momentum}`,
        series: EXPERTS.map((e) =>
          seriesOverSeeds(runs, condition, `precision${e}`, { name: `expert ${e}`, xs: around, slot: e }),
        ),
        marks: [swap],
      })),
    },
    {
      id: 'speed-of-precision',
      title: 'A steady Π is a slow Π',
      caption: `Steps from the swap until Π of experts 0 and 2 has crossed, against the relative noise of Π before it, for four values of m. The dashed line follows from m alone.${bands}`,
      x: { label: 'relative standard deviation of Π', domain: [0, reach(({ x }) => x)] },
      y: { label: 'steps to the crossover', domain: [0, reach(({ y, high = y }) => high)] },
      panels: [{ title: '', series: [...tradeOff, formula] }],
    },
  ]
}
