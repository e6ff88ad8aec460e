/** Spikes: where a membrane stands above its threshold, with a derivative that stands in for the step's. */
import type { Value } from '../graph/builder.js'
import { add, cast, div, greater, max, mul, neg, stopGradient, sub } from '../graph/expressions.js'
import type { Membrane } from './membrane.js'

/**
 * 1 where U > θ, else 0. Backwards the surrogate: the value added is x − x, whose gradient is what it is multiplied by.
 * @param drive U before the soft cap, any shape
 */
export function spikes({ threshold, surrogate, slope }: Membrane, drive: Value): Value {
  const u = sub(drive, threshold)
  const spike = cast(greater(drive, threshold), 'float32')
  return add(spike, mul(sub(u, stopGradient(u)), stopGradient(derivative(surrogate, slope, u))))
}

function derivative(surrogate: Membrane['surrogate'], slope: number, u: Value): Value {
  if (surrogate === 'atan') {
    const x = mul(u, (Math.PI * slope) / 2)
    return div(slope / 2, add(mul(x, x), 1))
  }
  const x = add(mul(max(u, neg(u)), slope), 1)
  return div(1, mul(x, x))
}
