/** Parts of a model under names of their own: `router.W.weight` is `W.weight` of the part `router`. */
import type { ParameterSpec } from '../gates/parameters.js'

/** Parameters of a part, under their names in the model. */
export const prefixed = (part: string, specs: readonly ParameterSpec[]): ParameterSpec[] =>
  specs.map((spec) => ({ ...spec, name: `${part}.${spec.name}` }))

/** What a model holds for a part, under the part's own names. */
export function partOf<T>(part: string, values: Readonly<Record<string, T>>): Record<string, T> {
  const start = `${part}.`
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      name.startsWith(start) ? [[name.slice(start.length), value]] : [],
    ),
  )
}
