/** One random thing from one seed: run it, and where it fails, look for a smaller one that fails. */
import type { Backend } from '@fep-moe/core'
import * as fc from 'fast-check'
import type { Outcome, Subject } from './subject.js'

/** How a random thing failed. */
export interface Failure {
  /** fast-check's path from the first thing that failed to the smallest. */
  readonly path: string
  /** The smallest thing that fails, as text. */
  readonly counterexample: string
  readonly message: string
}

/** Most runs that the search for a smaller failure takes. */
const SHRINKING = 300

/** Seeds of successive attempts: far apart, and the same for the same pair everywhere. */
export function seedOf(seed: number, index: number): number {
  let z = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) | 0
  z = Math.imul(z ^ (z >>> 16), 0x7feb352d)
  z = Math.imul(z ^ (z >>> 15), 0x846ca68b)
  return z ^ (z >>> 16)
}

/** What became of an attempt. */
export type Attempt = { readonly outcome: Outcome } | { readonly failure: Failure }

/** Never throws for what the backend does wrong. */
export async function attempt<R>(subject: Subject<R>, backend: Backend, seed: number): Promise<Attempt> {
  let outcome: Outcome | undefined
  let runs = 0
  const property = fc.asyncProperty(subject.recipes, async (recipe) => {
    // Beyond the limit everything passes, which ends the search.
    if (runs++ > SHRINKING) return
    const found = await subject.check(recipe, backend)
    outcome ??= found
  })
  const details = await fc.check(property, { seed, numRuns: 1 })
  if (!details.failed) return { outcome: outcome as Outcome }
  const [recipe] = details.counterexample as [R]
  return {
    failure: {
      path: details.counterexamplePath ?? '',
      counterexample: subject.show(recipe, backend),
      message: describe(details.errorInstance),
    },
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as { code?: string }
  return code ? `${code}: ${error.message}` : error.message
}
