/** What becomes of a model whose text changes its source after its cutoffs were settled. */
import type { Tensor } from '@fep-moe/core'
import { adapt, calibrate, cutoffsOf, targetShare, withCutoffs } from '@fep-moe/core/policies'
import { mean } from '../language-model/scoring.js'
import type { ByteModelResult } from './model.js'
import { imbalanceOf, type Served, serve, sumLoads } from './scoring.js'
import type { TextBatch } from './stream.js'

/** How cutoffs meet a new source. */
export const SERVICES = ['frozen', 'adapted', 'recalibrated'] as const

/** `frozen`: as trained. `adapted`: one update after every batch. `recalibrated`: set anew from its first batches. */
export type Service = (typeof SERVICES)[number]

/** Batches by service, in the order they were served. */
export type Services = Readonly<Record<Service, readonly ByteModelResult[]>>

/** Logits of several batches as one. */
function allLogits(results: readonly ByteModelResult[]): Tensor {
  const experts = results[0]?.load.data.length ?? 0
  const data = Float32Array.from(results.flatMap(({ logits }) => Array.from(logits.data)))
  return { dtype: 'float32', shape: [data.length / experts, experts], data }
}

/** What a change of source came to. */
export interface SourceChange {
  readonly services: Services
  /**
   * Share of the experts whose cutoff was moved the right way by adapting: up where more tokens than meant passed the frozen one,
   * down where fewer did.
   */
  readonly followed: number
}

/**
 * Serves the same batches of a new source three times.
 * @param calibration batches of the new source for new cutoffs, before those that are served
 * @param decay of one adapting update
 * @throws FEP_UNSUPPORTED for a policy without cutoffs
 */
export async function changeSource(
  served: Served,
  batches: readonly TextBatch[],
  calibration: readonly TextBatch[],
  decay: number,
): Promise<SourceChange> {
  const { policy } = served.model.layer
  const target = targetShare(policy as Parameters<typeof targetShare>[0])
  const serveAll = async (one: Served, list: readonly TextBatch[]) => {
    const results: ByteModelResult[] = []
    for (const batch of list) results.push(await serve(one, batch))
    return results
  }
  const frozen = await serveAll(served, batches)
  const adapted: ByteModelResult[] = []
  let { state } = served
  for (const batch of batches) {
    const result = await serve({ ...served, state }, batch)
    adapted.push(result)
    state = adapt(policy, state, result.logits, { decay })
  }
  const seen = allLogits(await serveAll(served, calibration))
  const renewed = withCutoffs(policy, served.state, calibrate(seen, target))
  const recalibrated = await serveAll({ ...served, state: renewed }, batches)
  const [before, after] = [cutoffsOf(policy, served.state), cutoffsOf(policy, state)]
  const load = sumLoads(frozen.map((result) => Array.from(result.load.data)))
  const tokens = frozen.reduce((n, { tokenLoss }) => n + tokenLoss.data.length, 0)
  const right = load.filter(
    (n, e) => Math.sign(n - tokens * target) === Math.sign((after[e] as number) - (before[e] as number)),
  )
  return { services: { frozen, adapted, recalibrated }, followed: right.length / load.length }
}

/** Windows that a line over served batches is made of. */
const WINDOWS = 8

/** Consecutive parts of served batches: the imbalance and the mean loss of each. */
export function windowsOf(
  results: readonly ByteModelResult[],
  target: number,
): { readonly imbalance: number[]; readonly loss: number[] } {
  const count = Math.min(WINDOWS, results.length)
  const parts = Array.from({ length: count }, (_, i) =>
    results.slice(Math.floor((i * results.length) / count), Math.floor(((i + 1) * results.length) / count)),
  )
  return {
    imbalance: parts.map((part) => {
      const tokens = part.reduce((n, { tokenLoss }) => n + tokenLoss.data.length, 0)
      return imbalanceOf(sumLoads(part.map(({ load }) => Array.from(load.data))), tokens, target)
    }),
    loss: parts.map((part) => mean(part.flatMap(({ tokenLoss }) => Array.from(tokenLoss.data)))),
  }
}
