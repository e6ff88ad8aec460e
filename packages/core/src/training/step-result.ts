/** What a training step returns: figures that stay on the device until somebody reads them. */
import type { Fetches } from '../backend/contract.js'
import { toHost } from '../backend/host-tensor.js'
import { FepError } from '../errors.js'
import type { Tensor } from '../tensor.js'

/**
 * The loss of a step, read on demand. Results are freed when the trainer's next step is done (a device would fill up with
 * logits that nobody asked for): start reading before that. @throws FEP_DISPOSED from every method afterwards
 */
export interface LossResult {
  /** The loss before the update. */
  loss(): Promise<number>
}

/** Results of a step, by name, and the end of them. */
export interface HeldResults {
  /** @throws FEP_DISPOSED once they were freed, FEP_BAD_ARGUMENT where the graph has no result of that name */
  read(name: string): Promise<Tensor>
  /** Frees the tensors, after reads that have begun. */
  release(): void
}

/** @internal Everything that is fetched, except what the trainer keeps for itself. */
export function holdResults(fetched: Fetches, kept: readonly string[]): HeldResults {
  const tensors = Object.entries(fetched).filter(([name]) => !kept.includes(name))
  let released = false
  let reading = 0
  const free = () => {
    if (!released || reading > 0) return
    for (const [, t] of tensors) t.dispose()
  }
  return {
    read: async (name) => {
      if (released)
        throw new FepError(
          'FEP_DISPOSED',
          'this result was freed when a later step was done; read it before the next step',
        )
      const found = fetched[name]
      if (!found || kept.includes(name))
        throw new FepError('FEP_BAD_ARGUMENT', `a step has no result '${name}'`)
      reading++
      try {
        return await toHost(found)
      } finally {
        reading--
        free()
      }
    },
    release: () => {
      released = true
      free()
    },
  }
}
