/** Elements on the device are words of 32 bits: float32 and int32 as they are, bool as 0 and 1. */
import type { DType, TensorData } from '@fep-moe/core'

/** Bytes of one element on the device. */
export const WORD = 4

/** An array that can be uploaded; the host's own where its elements are words already. */
export function toWords(dtype: DType, data: TensorData): TensorData | Uint32Array {
  if (dtype === 'bool') return Uint32Array.from(data, Number)
  // Dawn's Node binding aborts the process over memory that threads share.
  return isShared(data) ? data.slice() : data
}

const isShared = ({ buffer }: TensorData): boolean =>
  typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer

/** A view of downloaded words as the host has them; a copy for bool. */
export function fromWords(
  dtype: DType,
  words: ArrayBuffer,
  from = 0,
  count = words.byteLength / WORD,
): Float32Array | Int32Array | Uint8Array {
  switch (dtype) {
    case 'float32':
      return new Float32Array(words, from, count)
    case 'int32':
      return new Int32Array(words, from, count)
    case 'bool':
      return Uint8Array.from(new Uint32Array(words, from, count))
  }
}
