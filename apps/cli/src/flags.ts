/** Values of flags. Everything a flag accepts is said in its error. */
import { FepError, show } from '@fep-moe/core'

const refuse = (flag: string, value: string, accepted: string): never => {
  throw new FepError('FEP_USAGE', `${flag} is ${show(value)}; accepted: ${accepted}`)
}

/** Decimal digits only: `1e3`, `0x10` and an empty text are typing errors more often than numbers. */
const digits = (text: string): number => (/^\d{1,16}$/.test(text) ? Number(text) : Number.NaN)

/** A parser of an integer in a range. */
export const integerFlag =
  (flag: string, least: number, most: number) =>
  (text: string): number => {
    const value = digits(text)
    return value >= least && value <= most ? value : refuse(flag, text, `an integer in ${least}..${most}`)
  }

/** A parser of integers in a range, separated by commas. */
export const integersFlag = (flag: string, least: number, most: number) => {
  const one = integerFlag(flag, least, most)
  return (text: string): number[] => text.split(',').map((part) => one(part.trim()))
}

/** Seeds, `42,43`: each once. */
export function seedsFlag(text: string): number[] {
  const seeds = text.split(',').map((part) => digits(part.trim()))
  if (!seeds.every((seed) => Number.isSafeInteger(seed)))
    refuse('--seeds', text, 'integers from 0 to 2^53 - 1, separated by commas')
  if (new Set(seeds).size !== seeds.length) refuse('--seeds', text, 'seeds that differ')
  return seeds
}

/** A list of names out of a set. */
export const namesFlag =
  <N extends string>(flag: string, accepted: readonly N[]) =>
  (text: string): N[] => {
    const names = text.split(',').map((part) => part.trim())
    const unknown = names.find((name) => !accepted.includes(name as N))
    return unknown === undefined ? (names as N[]) : refuse(flag, unknown, accepted.join(', '))
  }

/** One name out of a set. */
export const nameFlag =
  <N extends string>(flag: string, accepted: readonly N[]) =>
  (text: string): N =>
    accepted.includes(text as N) ? (text as N) : refuse(flag, text, accepted.join(', '))

/** `ours=theirs`, once or several times: a map of names. */
export function mapFlag(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  const [ours, theirs] = [text.slice(0, at), text.slice(at + 1)]
  if (at < 1 || theirs === '') refuse('--map', text, 'NAME=NAME-IN-THE-FILE')
  if (Object.hasOwn(before, ours)) refuse('--map', text, `one name for ${ours}`)
  // Not by assignment, which `__proto__` would not survive.
  return Object.fromEntries([...Object.entries(before), [ours, theirs]])
}
