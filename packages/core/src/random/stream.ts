/** Random streams: position keeping, argument checks, and the draws of {@link RandomStream}. */
import { FepError } from '../errors.js'
import { largestBelow } from './bounds.js'
import { scaleTo } from './integer.js'
import { BLOCK_SIZE, blockKeys, streamKey } from './keys.js'
import { fillNormalsFast } from './normals-simd.js'
import { checkSeed, refuse } from './refuse.js'
import type { RandomStream } from './types.js'
import {
  type FloatArray,
  fillIntegers,
  fillUniforms,
  mix,
  normalOf,
  prepareNormals,
  type Run,
  start,
  uniformOf,
} from './values.js'

function checkBound(bound: number): void {
  if (!(Number.isInteger(bound) && bound >= 1 && bound <= 2 ** 31))
    refuse('bound', bound, 'an integer from 1 to 2^31')
}

function labelText(what: string, label: string | number): string {
  if (typeof label !== 'string' && !Number.isSafeInteger(label))
    refuse(what, label, 'a string or a safe integer')
  return `${label}`
}

class CounterStream implements RandomStream {
  readonly seed: number
  readonly stream: string
  private readonly key: Int32Array
  /** Mixing keys of `block`; see {@link blockKeys}. */
  private readonly keys = new Int32Array(4)
  private block = 0
  /** Next counter within `block`; may stand at BLOCK_SIZE until the next draw moves on. */
  private offset = BLOCK_SIZE

  constructor(seed: number, stream: string) {
    this.seed = seed
    this.stream = stream
    this.key = streamKey(seed, stream)
    this.enter(0, 0)
  }

  get position(): number {
    return this.block * BLOCK_SIZE + this.offset
  }

  set position(value: number) {
    if (!(Number.isSafeInteger(value) && value >= 0)) refuse('position', value, 'a safe integer >= 0')
    const block = Math.floor(value / BLOCK_SIZE)
    if (block === this.block) this.offset = value - block * BLOCK_SIZE
    else this.enter(block, value - block * BLOCK_SIZE)
  }

  uint32(): number {
    return this.word() >>> 0
  }

  uniform(): number {
    return uniformOf(this.word())
  }

  normal(): number {
    prepareNormals()
    return normalOf(this.word())
  }

  int(bound: number): number {
    checkBound(bound)
    const high = this.word()
    const low = mix(start(this.offset - 1, this.keys[2]!), this.keys[3]!)
    return scaleTo(bound, high, low)
  }

  fillUniform(out: FloatArray, low = 0, high = 1): void {
    if (!(low < high && Number.isFinite(high - low))) refuse('[low, high)', [low, high], 'a finite range')
    const top = largestBelow(high, out)
    this.spend(out.length, (run) => fillUniforms(out, run, low, high - low, top))
  }

  fillNormal(out: FloatArray, mean = 0, std = 1): void {
    if (!Number.isFinite(mean)) refuse('mean', mean, 'finite')
    if (!(Number.isFinite(std) && std >= 0)) refuse('std', std, 'finite and >= 0')
    prepareNormals()
    this.spend(out.length, (run) => fillNormalsFast(out, run, mean, std))
  }

  fillInt(out: Int32Array, bound: number): void {
    checkBound(bound)
    this.spend(out.length, (run) =>
      fillIntegers(out, run, start(this.offset, this.keys[2]!), this.keys[3]!, bound),
    )
  }

  permutation(n: number): Int32Array {
    if (!(Number.isInteger(n) && n >= 0 && n <= 2 ** 31 - 1)) refuse('n', n, 'an integer from 0 to 2^31 - 1')
    const out = new Int32Array(n)
    for (let i = 0; i < n; i++) out[i] = i
    for (let i = n - 1; i > 0; i--) {
      const j = this.int(i + 1)
      const moved = out[i]!
      out[i] = out[j]!
      out[j] = moved
    }
    return out
  }

  split(label: string | number): RandomStream {
    return new CounterStream(this.seed, `${this.stream}/${labelText('label', label)}`)
  }

  private enter(block: number, offset: number): void {
    if (block >= 2 ** 37) throw new FepError('FEP_BAD_ARGUMENT', 'the stream ends at position 2^53')
    blockKeys(this.key, block, this.keys)
    this.block = block
    this.offset = offset
  }

  /** The signed word of the next counter. */
  private word(): number {
    if (this.offset === BLOCK_SIZE) this.enter(this.block + 1, 0)
    return mix(start(this.offset++, this.keys[0]!), this.keys[1]!)
  }

  /** Takes the next `n` counters, a block at a time; `this.offset` stands at the run's first while `use` runs. */
  private spend(n: number, use: (run: Run) => void): void {
    for (let from = 0; from < n; ) {
      if (this.offset === BLOCK_SIZE) this.enter(this.block + 1, 0)
      const to = Math.min(n, from + BLOCK_SIZE - this.offset)
      use({ from, to, w: start(this.offset, this.keys[0]!), key: this.keys[1]! })
      this.offset += to - from
      from = to
    }
  }
}

/**
 * Opens a random stream at position 0.
 *
 * @param seed a safe integer >= 0
 * @param stream names one of the independent streams of the seed; a number stands for its decimal text. Default 0.
 * @throws FepError `FEP_BAD_ARGUMENT` if the seed or the stream is out of range
 * @example
 * ```ts
 * const init = random(42, 'init')
 * init.fillNormal(weights, 0, 0.02)
 * ```
 */
export function random(seed: number, stream: string | number = 0): RandomStream {
  checkSeed(seed)
  return new CounterStream(seed, labelText('stream', stream))
}
