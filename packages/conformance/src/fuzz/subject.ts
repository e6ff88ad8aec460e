/** What can be fuzzed: something random, a way to run it on a backend, and a way to show it. */
import { type Backend, type Capabilities, type Graph, type Tensor, toHost } from '@fep-moe/core'
import type { Arbitrary } from 'fast-check'
import { CaseFailure } from '../frame/failure.js'
import { unsupportedIn } from '../frame/unsupported.js'
import type { Bounded, Fragility } from './bounds/bounded.js'
import { type Comparison, compareBounded, noComparison } from './compare.js'

/** What running one random thing gave. What is wrong is thrown. */
export interface Outcome {
  /** The executor declares that it cannot run something in it; nothing was compared. */
  readonly excluded: boolean
  readonly comparison: Comparison
  /** The closest decision that rounding may turn, where elements were left out for it. */
  readonly closest: Fragility | undefined
}

/** See the file's header. */
export interface Subject<R> {
  readonly recipes: Arbitrary<R>
  /** @throws CaseFailure, or what the backend throws */
  check(recipe: R, backend: Backend): Promise<Outcome>
  /** The graph, and what it was fed. */
  show(recipe: R, backend: Backend): string
}

/** Nothing was run. */
export const excluded: Outcome = { excluded: true, comparison: noComparison(), closest: undefined }

/** True where an executor declares that it cannot run a graph. */
export const isExcluded = (graph: Graph, capabilities: Capabilities): boolean =>
  unsupportedIn(graph, capabilities) !== undefined

/** Holds results against bounds. @throws CaseFailure */
export async function holdAgainst(
  comparison: Comparison,
  got: Readonly<Record<string, Parameters<typeof toHost>[0] | undefined>>,
  want: Readonly<Record<string, Bounded>>,
  prefix = '',
): Promise<void> {
  for (const [name, bounded] of Object.entries(want)) {
    const result = got[name]
    const wrong = compareBounded(comparison, prefix + name, result && (await toHost(result)), bounded)
    if (wrong !== undefined) throw new CaseFailure(wrong)
  }
  const { worst } = comparison
  if (worst && !(worst.ratio <= 1))
    throw new CaseFailure(`${worst.where}, ${worst.error} apart; rounding explains ${worst.tolerance}`)
}

/** A tensor in a line. */
export function showTensor(name: string, { dtype, shape, data }: Tensor): string {
  const some = Array.from(data.subarray(0, 24)).join(', ')
  return `${name}: ${dtype}(${shape.join(', ')}) = [${some}${data.length > 24 ? `, … ${data.length}` : ''}]`
}
