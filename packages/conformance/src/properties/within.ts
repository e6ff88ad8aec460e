/** Comparisons within element-wise rounding bounds, on a probe. */
import type { Tensor } from '@fep-moe/core'
import { CaseFailure } from '../frame/failure.js'
import type { Probe } from '../frame/probe.js'
import type { Bounded } from '../fuzz/bounds/evaluate.js'
import { compareBounded, noComparison } from '../fuzz/compare.js'

/** Holds a result against `factor` times its bounds. Elements without a bound are left out. */
export function compareWithin(
  probe: Probe,
  name: string,
  got: Tensor,
  want: Omit<Bounded, 'origin'>,
  factor: number,
): void {
  const comparison = noComparison()
  const wrong = compareBounded(comparison, name, got, { ...want, error: want.error.map((e) => factor * e) })
  if (wrong !== undefined) throw new CaseFailure(wrong)
  const { worst } = comparison
  probe.checks += comparison.compared
  if (worst && (probe.worst === undefined || worst.ratio > probe.worst.ratio)) probe.worst = worst
}
