/** Which tfjs backends could run here. */

import { BACKENDS, type TfjsName } from './runtime/names.js'
import { openNamed } from './runtime/open.js'

/** One tfjs backend and whether it runs here. */
export interface TfjsAvailability {
  readonly name: TfjsName
  readonly available: boolean
  /** Why not, with the install line where an installation would help; `undefined` where it runs. */
  readonly reason: string | undefined
}

/**
 * Tries every tfjs backend that this package knows, in the order `node`, `wasm`, `cpu`, `webgl`, `webgpu`. Each one that
 * loads stays loaded (that is how one finds out); which backend is active in tfjs does not change, except that loading
 * tfjs-node makes it active where none was.
 */
export async function tfjsBackends(): Promise<readonly TfjsAvailability[]> {
  const found: TfjsAvailability[] = []
  for (const name of BACKENDS) {
    try {
      await openNamed(name)
      found.push({ name, available: true, reason: undefined })
    } catch (error) {
      found.push({ name, available: false, reason: (error as Error).message })
    }
  }
  return found
}
