/** Writing safetensors: the same tensors give the same bytes. */
import { FepError, show } from '../errors.js'
import { countOf } from '../graph/shape.js'
import type { DType } from '../graph/types.js'
import type { Tensor } from '../tensor.js'
import type { StoredDType } from './dtypes.js'
import { LONGEST_HEADER, PREFIX } from './header.js'
import { toUtf8 } from './text.js'

const STORED: Readonly<Record<DType, StoredDType>> = { float32: 'F32', int32: 'I32', bool: 'BOOL' }

/** What other programs look for: transformers refuses files without it. */
const METADATA = { format: 'pt' }

/**
 * The bytes of a safetensors file. float32 becomes F32 (doubles of the float64 reference are rounded), int32 I32, bool
 * BOOL. The bytes are those of the format's own writer: F32, I32, BOOL, each by name.
 * @param metadata free text by key. Default `{ format: 'pt' }`.
 * @throws FEP_BAD_ARGUMENT where data and shape disagree, or the header would be longer than readers accept
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  { metadata = METADATA }: { readonly metadata?: Readonly<Record<string, string>> } = {},
): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(tensors)
    .map(([name, t]) => ({ name, stored: STORED[t.dtype], shape: t.shape, bytes: bytesOf(name, t) }))
    .sort((a, b) => ORDER.indexOf(a.stored) - ORDER.indexOf(b.stored) || (a.name < b.name ? -1 : 1))
  const texts = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))
  const header: [string, unknown][] = texts.length > 0 ? [['__metadata__', Object.fromEntries(texts)]] : []
  let at = 0
  for (const { name, stored, shape, bytes } of entries) {
    header.push([name, { dtype: stored, shape, data_offsets: [at, at + bytes.length] }])
    at += bytes.length
  }
  const text = toUtf8(JSON.stringify(Object.fromEntries(header)))
  // Spaces up to a multiple of 8, so that the data are aligned.
  const length = Math.ceil(text.length / 8) * 8
  if (length > LONGEST_HEADER)
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `the header would have ${length} bytes; accepted: up to ${LONGEST_HEADER}`,
    )
  const file = new Uint8Array(PREFIX + length + at)
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true)
  file.fill(0x20, PREFIX, PREFIX + length)
  file.set(text, PREFIX)
  let offset = PREFIX + length
  for (const { bytes } of entries) {
    file.set(bytes, offset)
    offset += bytes.length
  }
  return file
}

/** Wide elements first, so that all are aligned. */
const ORDER: readonly StoredDType[] = ['F32', 'I32', 'BOOL']

function bytesOf(name: string, { dtype, shape, data }: Tensor): Uint8Array {
  if (name === '__metadata__')
    throw new FepError('FEP_BAD_ARGUMENT', "a tensor cannot be called '__metadata__'")
  if (!STORED[dtype] || countOf(shape) !== data.length)
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `tensor ${show(name)} is ${dtype}(${shape.join(', ')}) with ${data.length} elements: they do not fit`,
    )
  const array = data instanceof Float64Array ? Float32Array.from(data) : data
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
