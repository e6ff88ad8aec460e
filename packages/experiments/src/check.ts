/** Checks of what a user brings, with this project's errors. */
import { FepError, type FepErrorCode, show } from '@fep-moe/core'
import * as v from 'valibot'

/**
 * Parses a value, or throws an error that names the path of the first bad field, its value and what is accepted.
 * @param what prefix of the path, e.g. `task`
 */
export function check<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  what: string,
  code: FepErrorCode = 'FEP_BAD_CONFIG',
): v.InferOutput<S> {
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const issue = result.issues[0]
  const path = [what, ...(issue.path ?? []).map((item) => String(item.key))].join('.')
  if (issue.expected === 'never') throw new FepError(code, `${path} is unknown here`)
  if (issue.input === undefined) throw new FepError(code, `${path} is missing`)
  const accepted = issue.message.startsWith('Invalid') ? issue.expected : issue.message
  throw new FepError(code, `${path} is ${show(issue.input)}; accepted: ${accepted}`)
}

/** An integer between two bounds, both included; its message says so. */
export const integer = (least: number, most: number) => {
  const accepted = `an integer in ${least}..${most}`
  return v.pipe(
    v.number(accepted),
    v.integer(accepted),
    v.minValue(least, accepted),
    v.maxValue(most, accepted),
  )
}

/** A finite number above zero. */
export const positive = v.pipe(
  v.number('a finite number > 0'),
  v.finite('a finite number > 0'),
  v.gtValue(0, 'a finite number > 0'),
)
