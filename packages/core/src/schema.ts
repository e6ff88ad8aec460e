/** Turns a schema library's issues into this project's errors. */
import * as v from 'valibot'
import { FepError, type FepErrorCode, show } from './errors.js'

/**
 * Parses a value, or throws an error that names the path of the first bad field, its value and what is accepted.
 * @param what prefix of the path, e.g. `gate`
 * @param code default `FEP_BAD_CONFIG`
 */
export function parse<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  what: string,
  code: FepErrorCode = 'FEP_BAD_CONFIG',
): v.InferOutput<S> {
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  const issue = deepest(result.issues[0])
  const path = [what, ...(issue.path ?? []).map((item) => String(item.key))].join('.')
  throw new FepError(code, complaint(path, issue))
}

/** Our own schemas carry what they accept as their message; the library's default messages start with «Invalid». */
function complaint(path: string, issue: v.BaseIssue<unknown>): string {
  // A strict object reports an unknown key with `never` expected, and a missing one with its own name.
  if (issue.expected === 'never') return `${path} is unknown here`
  if (issue.input === undefined) return `${path} is missing`
  const accepted = issue.message.startsWith('Invalid') ? issue.expected : issue.message
  return `${path} is ${show(issue.input)}; accepted: ${accepted}`
}

// One custom schema for all ranges: the library's own number schemas cost as much code as everything else here.
const number = (accepted: string, fits: (x: number) => boolean) =>
  v.custom<number>((x) => typeof x === 'number' && fits(x), accepted)

/** Finite and above 0. */
export function isPositive(x: unknown): boolean {
  return Number.isFinite(x) && (x as number) > 0
}

/** Between 0 and 1, both excluded. */
export function isDecay(x: unknown): boolean {
  return isPositive(x) && (x as number) < 1
}

/** An integer in a range. */
export const integerFrom = (least: number, most: number = 2 ** 24) =>
  number(`an integer in ${least}..${most}`, (x) => Number.isInteger(x) && x >= least && x <= most)

/** A finite number above 0. */
export const positive = number('a finite number > 0', isPositive)

/** A finite number from 0. */
export const nonNegative = number('a finite number >= 0', (x) => Number.isFinite(x) && x >= 0)

/** A factor of an average: 0 included, 1 not. */
export const averagingFactor = number('a number in [0, 1)', (x) => x >= 0 && x < 1)

/** A share: 0 and 1 included. */
export const fraction = number('a number in [0, 1]', (x) => x >= 0 && x <= 1)

/** A decay: neither 0 nor 1. */
export const decayFactor = number('a number in (0, 1)', isDecay)

/** The issue that says most: a union reports the branch that got furthest. */
function deepest(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown> {
  const nested = issue.issues ?? []
  const longest = nested.reduce<v.BaseIssue<unknown> | undefined>(
    (best, i) => ((i.path?.length ?? 0) >= (best?.path?.length ?? 0) ? i : best),
    undefined,
  )
  if (!longest || issue.type !== 'union') return issue
  return { ...deepest(longest), path: [...(issue.path ?? []), ...(longest.path ?? [])] as never }
}
