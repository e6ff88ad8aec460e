/** Refusals of arguments, in one wording. */
import { FepError, show } from '../errors.js'

/** @throws FEP_BAD_ARGUMENT */
export function refuse(what: string, value: unknown, expected: string): never {
  throw new FepError('FEP_BAD_ARGUMENT', `${what} must be ${expected}, got ${show(value)}`)
}

/** @throws FEP_BAD_ARGUMENT unless the seed is a safe integer >= 0 */
export function checkSeed(seed: unknown): void {
  if (!(Number.isSafeInteger(seed) && (seed as number) >= 0)) refuse('seed', seed, 'a safe integer >= 0')
}
