/**
 * How long a domain lasts. A law is told by its hazard h(a): the probability that a stay which has reached age a (its a-th
 * step, from 1) ends with that step. From there on its ages are all alike: the last one may last.
 */
import { schemas } from '@fep-moe/core'
import * as v from 'valibot'

/** A law of durations in steps. */
export type DurationLaw =
  | {
      /** Every duration in least..most alike; a constant where both are the same. */
      readonly kind: 'uniform'
      /** >= 1. */
      readonly least: number
      /** >= least. */
      readonly most: number
    }
  | {
      /** Ends with every step alike: no age tells anything. */
      readonly kind: 'geometric'
      /** In (0, 1). */
      readonly hazard: number
    }
  | { readonly kind: 'forever' }

/** A law as a schema. */
export const durationSchema = v.variant('kind', [
  v.pipe(
    v.strictObject({
      kind: v.literal('uniform'),
      least: schemas.integerFrom(1, 2 ** 16),
      most: schemas.integerFrom(1, 2 ** 16),
    }),
    v.check(({ least, most }) => least <= most, 'least <= most'),
  ),
  v.strictObject({ kind: v.literal('geometric'), hazard: schemas.decayFactor }),
  v.strictObject({ kind: v.literal('forever') }),
])

/** Every duration from the first to the second alike. */
export const uniformly = (least: number, most = least): DurationLaw => ({ kind: 'uniform', least, most })

/**
 * h(a) for a = 1, 2, ..; the last entry holds for every later age too.
 * @example hazards(uniformly(4, 6)) // [0, 0, 0, 1/3, 1/2, 1]
 */
export function hazards(law: DurationLaw): number[] {
  if (law.kind === 'forever') return [0]
  if (law.kind === 'geometric') return [law.hazard]
  const { least, most } = law
  return Array.from({ length: most }, (_, i) => (i + 1 < least ? 0 : 1 / (most - i)))
}
