/** What a training step returns: figures that stay on the device until somebody reads them. */
import type { DeviceTensor, Fetches } from '../backend/contract.js'
import { toHost } from '../backend/host-tensor.js'
import { FepError } from '../errors.js'
import { type Tensor, transpose } from '../tensor.js'

/**
 * Results of one step, read on demand. They are freed when the trainer's next step is done (a device would fill up with
 * logits that nobody asked for): start reading before that. @throws FEP_DISPOSED from every method afterwards
 */
export interface StepResult {
  /** The loss before the update. */
  loss(): Promise<number>
  /** Logits of the routed steps (B,T',E), Π included, before the update. */
  logits(): Promise<Tensor>
  /** The same as the trainer's program has them: (E,T',B), without a transpose. */
  featureMajorLogits(): Promise<Tensor>
}

/** A result and the end of it. */
export interface HeldResult {
  readonly result: StepResult
  /** Frees the tensors, after reads that have begun. */
  release(): void
}

/** @internal */
export function holdResult(fetched: Fetches): HeldResult {
  const [loss, logits] = [fetched.loss as DeviceTensor, fetched.logits as DeviceTensor]
  let released = false
  let reading = 0
  const free = () => {
    if (!released || reading > 0) return
    loss.dispose()
    logits.dispose()
  }
  const read = async (t: DeviceTensor): Promise<Tensor> => {
    if (released)
      throw new FepError(
        'FEP_DISPOSED',
        'this result was freed when a later step was done; read it before the next step',
      )
    reading++
    try {
      return await toHost(t)
    } finally {
      reading--
      free()
    }
  }
  return {
    result: {
      loss: async () => (await read(loss)).data[0] as number,
      logits: async () => transpose(await read(logits), [2, 1, 0]),
      featureMajorLogits: () => read(logits),
    },
    release: () => {
      released = true
      free()
    },
  }
}
