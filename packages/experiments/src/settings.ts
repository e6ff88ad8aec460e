/** What settings of all experiments share: a user's changes, and the check of what a file says. */
import { schemas } from '@fep-moe/core'
import * as v from 'valibot'
import type { ExperimentSettings } from './experiment.js'

const seeds = v.pipe(
  v.array(schemas.integerFrom(0, Number.MAX_SAFE_INTEGER)),
  v.minLength(1, 'at least one seed'),
  v.check((list) => new Set(list).size === list.length, 'seeds that differ'),
)

/** A number of epochs, or of steps. */
export const epochs = schemas.integerFrom(1, 1_000_000)

/** Fields of {@link ExperimentSettings} as a schema. */
export const experimentEntries = { seeds, epochs, quick: v.boolean() }

const overridesSchema = v.strictObject({
  seeds: v.optional(seeds),
  epochs: v.optional(epochs),
  quick: v.optional(v.boolean()),
})

/**
 * Published settings with a user's changes.
 * @param quick what a quick run changes
 * @throws FEP_BAD_CONFIG naming the field
 */
export function changeSettings<S extends ExperimentSettings>(
  published: S,
  quick: Partial<S>,
  overrides: unknown = {},
): S {
  const given = schemas.parse(overridesSchema, overrides, 'settings')
  const base = given.quick ? { ...published, ...quick, quick: true } : published
  return { ...base, seeds: given.seeds ?? base.seeds, epochs: given.epochs ?? base.epochs }
}
