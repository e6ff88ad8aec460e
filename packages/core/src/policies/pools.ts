/** Pools of tokens on the host: the check that padding leaves an expert its share. */
import { FepError } from '../errors.js'
import type { Tensor } from '../tensor.js'
import type { ResolvedShare } from './config.js'
import { requireTokensPerExpert } from './share.js'

/**
 * @param valid bool (B,T); undefined: all tokens are real
 * @param pool sequences of a pool; null: all
 * @throws FEP_TOO_FEW_TOKENS where a pool leaves an expert no token; FEP_BAD_FEED for a mask of another shape
 */
export function checkPools(
  share: ResolvedShare,
  [batch, steps]: readonly [number, number],
  valid: Tensor | undefined,
  pool: number | null,
): void {
  const each = pool ?? batch
  if (!valid) {
    requireTokensPerExpert(share, each * steps)
    return
  }
  if (valid.dtype !== 'bool' || valid.shape?.join() !== `${batch},${steps}`)
    throw new FepError(
      'FEP_BAD_FEED',
      `'valid' is ${valid.dtype}(${valid.shape?.join(', ')}); expected bool(${batch}, ${steps})`,
    )
  for (let first = 0; first < batch; first += each) {
    const part = valid.data.subarray(first * steps, (first + each) * steps)
    requireTokensPerExpert(share, Array.from(part).filter(Boolean).length)
  }
}
