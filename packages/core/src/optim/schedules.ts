/** Learning rates over time: pure functions of the number of updates so far. */
import * as v from 'valibot'
import { integerFrom, nonNegative, parse } from '../schema.js'

/** Learning rate by the number of updates done, from 0. */
export type Schedule = (updates: number) => number

const steps = integerFrom(1, 2 ** 53 - 1)

/**
 * Cosine annealing (Loshchilov & Hutter 2017), the formula of torch's CosineAnnealingLR:
 * η_t = minimum + (lr − minimum)(1 + cos(π t / steps)) / 2. After `steps` updates it stays at the minimum, where torch's
 * rises again.
 * @param options lr >= 0; steps >= 1; minimum >= 0, default 0
 * @throws FEP_BAD_CONFIG
 */
export function cosineAnnealing(options: {
  readonly lr: number
  readonly steps: number
  readonly minimum?: number
}): Schedule {
  const schema = v.strictObject({ lr: nonNegative, steps, minimum: v.optional(nonNegative, 0) })
  const { lr, steps: most, minimum } = parse(schema, options, 'cosineAnnealing')
  return (t) => minimum + ((lr - minimum) * (1 + Math.cos((Math.PI * Math.min(t, most)) / most))) / 2
}

/** The same rate always. @throws FEP_BAD_CONFIG */
export function constantRate(lr: number): Schedule {
  const rate = parse(nonNegative, lr, 'constantRate')
  return () => rate
}

/**
 * Linear warm-up before another schedule, as torch's SequentialLR of LinearLR and that schedule: for t < steps the first
 * rate times start + (1 − start) t / steps, from then on the schedule, which begins at 0 only then.
 * @param schedule what follows
 * @param options steps >= 1; start in 0..1, the factor at t = 0, default 1/3 (torch's)
 * @throws FEP_BAD_CONFIG
 * @example warmUp(cosineAnnealing({ lr: 3e-4, steps: 900 }), { steps: 100 })
 */
export function warmUp(
  schedule: Schedule,
  options: { readonly steps: number; readonly start?: number },
): Schedule {
  const share = v.custom<number>((x) => typeof x === 'number' && x >= 0 && x <= 1, 'a number in 0..1')
  const schema = v.strictObject({ steps, start: v.optional(share, 1 / 3) })
  const { steps: most, start } = parse(schema, options, 'warmUp')
  return (t) => (t < most ? schedule(0) * (start + ((1 - start) * t) / most) : schedule(t - most))
}
