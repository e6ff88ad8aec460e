/**
 * Key derivation: everything that must be strong but runs rarely. A stream key is a hash of (seed, path), a block
 * key is a hash of (stream key, block index); both use the ChaCha permutation with 8 rounds, so related seeds,
 * paths and block indices give unrelated keys. At one call per 2^16 values its cost does not show.
 */

/** Counters per block key: 32-bit keys are not worn out, and re-keying is free. */
export const BLOCK_SIZE = 65536

/** Words in a stream key (256 bits). */
const KEY_WORDS = 8

/** Keeps the three uses of the permutation apart: no path can collide with a block of its parent. */
const TAG_BLOCK = 0
const TAG_TEXT = 1
const TAG_END = 2

const TWO_32 = 4294967296

const state = /* @__PURE__ */ new Int32Array(16)

function quarterRound(a: number, b: number, c: number, d: number): void {
  let x = state[a]!
  let y = state[b]!
  let z = state[c]!
  let v = state[d]!
  x = (x + y) | 0
  v ^= x
  v = (v << 16) | (v >>> 16)
  z = (z + v) | 0
  y ^= z
  y = (y << 12) | (y >>> 20)
  x = (x + y) | 0
  v ^= x
  v = (v << 8) | (v >>> 24)
  z = (z + v) | 0
  y ^= z
  y = (y << 7) | (y >>> 25)
  state[a] = x
  state[b] = y
  state[c] = z
  state[d] = v
}

/** One ChaCha8 block of `key` and a 128-bit input; writes as many of its words as fit into `out`. */
function chacha8(key: Int32Array, n0: number, n1: number, n2: number, tag: number, out: Int32Array): void {
  const input = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, ...key, n0 | 0, n1 | 0, n2 | 0, tag]
  state.set(input)
  for (let round = 0; round < 8; round += 2) {
    quarterRound(0, 4, 8, 12)
    quarterRound(1, 5, 9, 13)
    quarterRound(2, 6, 10, 14)
    quarterRound(3, 7, 11, 15)
    quarterRound(0, 5, 10, 15)
    quarterRound(1, 6, 11, 12)
    quarterRound(2, 7, 8, 13)
    quarterRound(3, 4, 9, 14)
  }
  for (let i = 0; i < out.length; i++) out[i] = state[i]! + input[i]!
}

/**
 * Key of the stream at `path` under `seed`. The path is absorbed six UTF-16 code units at a time; the closing block
 * carries its length, so no two paths share a key by padding.
 *
 * @param seed a safe integer >= 0 (checked by the caller)
 */
export function streamKey(seed: number, path: string): Int32Array {
  const key = new Int32Array(KEY_WORDS)
  key[0] = seed | 0
  key[1] = Math.floor(seed / TWO_32)
  const pair = (i: number) => (path.charCodeAt(i) || 0) | ((path.charCodeAt(i + 1) || 0) << 16)
  for (let i = 0; i < path.length; i += 6) chacha8(key, pair(i), pair(i + 2), pair(i + 4), TAG_TEXT, key)
  chacha8(key, path.length, 0, 0, TAG_END, key)
  return key
}

/**
 * Writes the four mixing keys of one block of 2^16 counters into `out`: words 0 and 1 key the first lane, which every
 * draw uses, words 2 and 3 the second, which integers use for their low 32 bits.
 *
 * @param block index of the block, 0 to 2^37 - 1
 */
export function blockKeys(key: Int32Array, block: number, out: Int32Array): void {
  chacha8(key, block | 0, Math.floor(block / TWO_32), 0, TAG_BLOCK, out)
}
