/**
 * What the precision experiment allows, by arithmetic. With k = d/2 the two halves have independent means of variance 1/k; a
 * token does not show whose mean is asked for, so the best guess is their average, and its squared error (a − b)²/4 has mean
 * 1/(2k). Weights g on experts that guess so add Σ g_e² σ_e²: least, 1/Σ σ_e⁻², where g_e ∝ σ_e⁻².
 *
 * A tracked error moves from one level to the other by m per step, so after a swap two of them cross when mⁿ falls below ½.
 * An average of B squared normal errors has the relative deviation √(2/B), of which the moving average leaves
 * √((1 − m)/(1 + m)).
 */
import type { Bound } from '../results.js'
import { EXPERTS } from './metrics.js'
import { type PrecisionSettings, precisionConditions, SPEEDS } from './settings.js'

/** Mean squared error that no prediction gets below. */
export const irreducible = ({ dim }: Pick<PrecisionSettings, 'dim'>): number => 1 / dim

/** Updates of Π after the swap until the two experts that changed places have crossed. */
export const updatesToCross = (momentum: number): number => Math.floor(Math.log(0.5) / Math.log(momentum)) + 1

/** Relative standard deviation of a settled Π. */
export const settledNoise = (momentum: number, batch: number): number =>
  Math.sqrt((2 / batch) * ((1 - momentum) / (1 + momentum)))

/**
 * `bestWeights`, `bestExpert`, `equalWeights` on `finalLoss`; `perfectExperts` on Π at the end; `CONDITION` on
 * `crossoverStep` and `precisionNoise`, from m alone.
 */
export function precisionBounds(settings: PrecisionSettings): Bound[] {
  const { noise, shiftAt, batch, epsilon } = settings
  const floor = irreducible(settings)
  const variances = noise.map((sd) => sd ** 2)
  const sum = (list: readonly number[]) => list.reduce((total, x) => total + x, 0)
  const precisions = variances.map((s2) => 1 / (floor + s2 + epsilon))
  return [
    { name: 'bestWeights', metric: 'finalLoss', value: floor + 1 / sum(variances.map((s2) => 1 / s2)) },
    { name: 'bestExpert', metric: 'finalLoss', value: floor + Math.min(...variances) },
    { name: 'equalWeights', metric: 'finalLoss', value: floor + sum(variances) / variances.length ** 2 },
    ...EXPERTS.filter((e) => e < precisions.length).map((e) => ({
      name: 'perfectExperts',
      metric: `precision${e}`,
      value: precisions[e] as number,
    })),
    {
      name: 'perfectExperts',
      metric: 'precisionContrast',
      value: Math.max(...precisions) / Math.min(...precisions),
    },
    ...SPEEDS.flatMap((name) => {
      const { momentum } = precisionConditions[name]
      return [
        { name, metric: 'crossoverStep', value: shiftAt + updatesToCross(momentum) - 1 },
        { name, metric: 'precisionNoise', value: settledNoise(momentum, batch) },
      ]
    }),
  ]
}
