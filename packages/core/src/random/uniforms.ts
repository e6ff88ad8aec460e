/**
 * Uniforms from the start of a stream, without the stream: what initialization draws. A page that only routes then
 * loads neither the table nor the kernel of normals.
 */
import { largestBelow } from './bounds.js'
import { BLOCK_SIZE, blockKeys, streamKey } from './keys.js'
import { type FloatArray, fillUniforms, start } from './values.js'

/** Fills `out` with what `random(seed, path).fillUniform(out, low, high)` does, bit by bit. */
export function fillUniformFrom(
  seed: number,
  path: string,
  out: FloatArray,
  low: number,
  high: number,
): void {
  const key = streamKey(seed, path)
  const keys = new Int32Array(4)
  const top = largestBelow(high, out)
  for (let block = 0, from = 0; from < out.length; block++) {
    blockKeys(key, block, keys)
    const to = Math.min(out.length, from + BLOCK_SIZE)
    fillUniforms(
      out,
      { from, to, w: start(0, keys[0] as number), key: keys[1] as number },
      low,
      high - low,
      top,
    )
    from = to
  }
}
