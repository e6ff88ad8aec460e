/**
 * Mechanisms that most gates do without are a file of their own, which is fetched when a gate first needs it. Graphs are
 * built synchronously, so everything that is asynchronous anyway waits for the file before it builds one; who builds
 * graphs by hand waits for `gate.ready()`, or `loadMechanisms(config)`.
 */
import { FepError } from '../errors.js'
import type { ResolvedGateConfig } from './config.js'

type Mechanisms = typeof import('./serving.js')

let loaded: Mechanisms | undefined

/** Fetches the code of a gate's mechanisms, once per process or page; nothing where it is all there. */
export async function loadMechanisms({
  belief,
  clock,
  precision,
}: Pick<ResolvedGateConfig, 'belief' | 'clock' | 'precision'>): Promise<void> {
  if (belief || clock || precision?.scope === 'tracked') loaded ??= await import('./serving.js')
}

/** @throws FEP_UNSUPPORTED before {@link loadMechanisms} */
export function mechanisms(): Mechanisms {
  if (loaded) return loaded
  throw new FepError(
    'FEP_UNSUPPORTED',
    'belief, clock and tracked precision need await gate.ready() or loadMechanisms(config) before a graph',
  )
}
