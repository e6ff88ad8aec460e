/** Batches of text: sequences of bytes from anywhere in the sources. */
import { FepError, random, type Tensor } from '@fep-moe/core'
import type { ExpertThresholdSettings } from './settings.js'

/** Sequences of one batch. */
export interface TextBatch {
  /** int32 (B, T + W − 1): the bytes before each prediction, W of them before the first. */
  readonly x: Tensor
  /** int32 (B, T): the bytes to be predicted. */
  readonly y: Tensor
}

/** Sizes of a batch: B, T, and the window W. */
export type TextSizes = Pick<ExpertThresholdSettings, 'batch' | 'steps' | 'window'>

/** An endless sequence of batches. */
export interface TextStream {
  /** The next batch, with arrays of its own. */
  next(): TextBatch
}

/**
 * Opens a stream. Each sequence is from one source, every source as likely as the others. Batch n is the same whatever
 * consumes it.
 * @param sources at least one, each longer than a sequence
 * @param name tells streams of one seed apart
 * @throws FEP_BAD_ARGUMENT where a source is too short
 */
export function openText(
  sources: readonly Uint8Array[],
  { batch, steps, window }: TextSizes,
  seed: number,
  name: string,
): TextStream {
  const length = steps + window
  const short = sources.find((bytes) => bytes.length < length)
  if (short || sources.length === 0)
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `a source has ${short?.length ?? 0} bytes; accepted: ${length} or more, and at least one source`,
    )
  const places = random(seed, `expert-threshold/${name}`)
  return {
    next: () => {
      const x = new Int32Array(batch * (length - 1))
      const y = new Int32Array(batch * steps)
      for (let b = 0; b < batch; b++) {
        const bytes = sources[places.int(sources.length)] as Uint8Array
        const start = places.int(bytes.length - length + 1)
        x.set(bytes.subarray(start, start + length - 1), b * (length - 1))
        y.set(bytes.subarray(start + window, start + length), b * steps)
      }
      return {
        x: { dtype: 'int32', shape: [batch, length - 1], data: x },
        y: { dtype: 'int32', shape: [batch, steps], data: y },
      }
    },
  }
}

/** The sequences of a batch, chosen and ordered. */
export function chosenRows({ x, y }: TextBatch, rows: readonly number[]): TextBatch {
  const of = ({ shape, data }: Tensor): Tensor => {
    const width = shape[1] as number
    const out = new Int32Array(rows.length * width)
    for (const [i, row] of rows.entries())
      out.set(data.subarray(row * width, (row + 1) * width) as Int32Array, i * width)
    return { dtype: 'int32', shape: [rows.length, width], data: out }
  }
  return { x: of(x), y: of(y) }
}
