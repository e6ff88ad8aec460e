/** Expected failures are strict: each names one case that exists, says why, and says where that is followed. */
import { FepError, show } from '@fep-moe/core'
import type { ConformanceCase } from './case.js'
import type { ExpectedFailure } from './result.js'

/** @throws FEP_CONFORMANCE for an unknown id, a repeated id, or an entry without reason or link */
export function checkedExpectations(
  entries: readonly ExpectedFailure[],
  cases: readonly ConformanceCase[],
): ReadonlyMap<string, ExpectedFailure> {
  const ids = new Set(cases.map((c) => c.id))
  const found = new Map<string, ExpectedFailure>()
  for (const entry of entries) {
    const refuse = (why: string): never => {
      throw new FepError('FEP_CONFORMANCE', `expected failure ${show(entry.id)} ${why}`)
    }
    if (!ids.has(entry.id)) refuse('names no case of the suite')
    if (found.has(entry.id)) refuse('is listed twice')
    if (!entry.reason?.trim()) refuse('gives no reason')
    if (!entry.link?.trim()) refuse('gives no link')
    found.set(entry.id, entry)
  }
  return found
}
