/**
 * The hot code: hash a counter to a word, turn words into values, fill arrays. It shares one file because calls and
 * constants that cross modules are checked at run time, on every value.
 */
import { scaleTo } from './integer.js'
import { buildNormalTable, NORMAL_TABLE_LENGTH } from './normal-table.js'

/** Array types that take real draws; values are rounded to the element type on storing. */
export type FloatArray = Float32Array | Float64Array

/** Step between the hash inputs of consecutive counters: 2^32 over the golden ratio, as a signed word. */
const STEP = -1640531527

const TO_UNIT = 1 / 4294967296

/** Hash input of counter `i` of a block, under the first key word. */
export function start(i: number, key: number): number {
  return (Math.imul(i, STEP) + key) | 0
}

/** Hash input of the counter `n` after that of `w`. */
export function skip(w: number, n: number): number {
  return (w + Math.imul(n, STEP)) | 0
}

/** Hash input of the next counter. A function, because inline this sum is carried through the loop as a double. */
function next(w: number): number {
  return (w + STEP) | 0
}

/**
 * Hashes the input `w`, under the second key word, to a signed word, in three multiplications.
 *
 * The key enters between the rounds: two blocks whose first keys lie a few steps apart visit the same inputs, and
 * would otherwise be shifted copies of one another. The input enters again after the second round: three bare rounds
 * are a bijection, which never repeats a word within a block, where random words do.
 */
export function mix(w: number, key: number): number {
  let x = w ^ (w >>> 17)
  x = Math.imul(x, -306555717) ^ key
  x ^= x >>> 11
  x = Math.imul(x, -1404298415) ^ w
  x ^= x >>> 15
  x = Math.imul(x, 830770091)
  return x ^ (x >>> 14)
}

/** Uniform on [0, 1) with 32 bits, from a signed word. */
export function uniformOf(word: number): number {
  return (word >>> 0) * TO_UNIT
}

/** See normal-table.ts. Filled on first use: importing the library must not pay for it. */
const table = /* @__PURE__ */ new Float64Array(NORMAL_TABLE_LENGTH)

// A double and its two words: reads exponent bits, whichever way this machine orders bytes.
const double = /* @__PURE__ */ new Float64Array([1])
const words = /* @__PURE__ */ new Int32Array(double.buffer)
const HIGH = words[0] === 0 ? 1 : 0

/** Must have been called before {@link normalOf} and {@link fillNormals}. */
export function prepareNormals(): void {
  if (table[0] === 0) buildNormalTable(table)
}

/** The table that {@link normalOf} reads, filled. */
export function normalTable(): Float64Array {
  prepareNormals()
  return table
}

/**
 * The standard normal of a signed word, by the inverse distribution function: no rejection, so that one counter is
 * one normal. The words 0, 1, ... give 6.34, 6.17, ... and their complements the exact negatives.
 */
export function normalOf(word: number): number {
  const d = word + 0.5
  double[0] = d
  const high = words[HIGH]!
  // rowOf(high), written out.
  const row = ((high >>> 14) & 0x7fc) | ((high >>> 20) & 0x800)
  return table[row]! + d * (table[row | 1]! + d * (table[row | 2]! + d * table[row | 3]!))
}

/**
 * A run of counters within one block: where they go, the hash input of the first, and the second key word.
 * The loops below coerce every number they are given: that tells the compiler its type, and saves up to half the time.
 */
export interface Run {
  readonly from: number
  readonly to: number
  readonly w: number
  readonly key: number
}

/** Fills a run with `mean + std * normal`. */
export function fillNormals(out: FloatArray, run: Run, mean: number, std: number): void {
  const to = run.to | 0
  const key = run.key | 0
  let input = run.w | 0
  for (let i = run.from | 0; i < to; i++) {
    out[i] = mean + std * normalOf(mix(input, key))
    input = next(input)
  }
}

/** Fills a run with `low + range * uniform`, held at `top` where rounding would reach the excluded upper end. */
export function fillUniforms(out: FloatArray, run: Run, low: number, range: number, top: number): void {
  const to = run.to | 0
  const key = run.key | 0
  const floor = +low
  const width = +range
  const ceiling = +top
  let input = run.w | 0
  for (let i = run.from | 0; i < to; i++) {
    let value = floor + width * uniformOf(mix(input, key))
    if (value > ceiling) value = ceiling
    out[i] = value
    input = next(input)
  }
}

/** Fills a run with integers in [0, bound); the second lane, `w2` and `key2`, gives their low random bits. */
export function fillIntegers(out: Int32Array, run: Run, w2: number, key2: number, bound: number): void {
  const to = run.to | 0
  const key = run.key | 0
  let high = run.w | 0
  let low = w2 | 0
  for (let i = run.from | 0; i < to; i++) {
    out[i] = scaleTo(bound, mix(high, key), mix(low, key2))
    high = next(high)
    low = next(low)
  }
}
