/** Reading safetensors: from bytes, or from a file of any size of which only what is asked for is read. */
import { FepError, show } from '../errors.js'
import type { Tensor } from '../tensor.js'
import { decode, readableDTypes, readsAs } from './dtypes.js'
import { badFile, type Header, headerLength, PREFIX, parseHeader, type StoredTensor } from './header.js'

/** Something that can be read in parts: a file, a response to range requests. */
export interface ByteSource {
  /** Bytes in all. */
  readonly size: number
  /** Bytes `start`..`end` (excluded); what lies beyond the size is never asked for. */
  read(start: number, end: number): Promise<Uint8Array>
}

/** A safetensors file whose header was read. */
export interface SafetensorsFile extends Header {
  /** Name in errors: a path. */
  readonly name: string
  /**
   * Reads one tensor: F32, F16, BF16 and F64 become float32, I32 and I64 int32, BOOL bool.
   * @throws FEP_BAD_FILE where there is no such tensor, or the source ends early; FEP_UNSUPPORTED for other types
   */
  read(name: string): Promise<Tensor>
}

/**
 * Opens a safetensors file. Memory is needed for the header, up to 16 MiB of it, and for the tensors that are read.
 * @param source bytes, or something to read parts from
 * @param options `name` stands in errors. Default `safetensors`.
 * @throws FEP_BAD_FILE
 * @example
 * const file = await openSafetensors(bytes)
 * const weight = await file.read('model.layers.3.mlp.gate.weight')
 */
export async function openSafetensors(
  source: Uint8Array | ByteSource,
  { name = 'safetensors' }: { readonly name?: string } = {},
): Promise<SafetensorsFile> {
  if (source instanceof Uint8Array) {
    const header = headerOf(source, name)
    return {
      ...header,
      name,
      read: async (key) =>
        tensorOf(find(header, key, name), key, name, ({ start, end }) => source.subarray(start, end)),
    }
  }
  const { size } = source
  if (!Number.isSafeInteger(size) || size < 0)
    throw new FepError('FEP_BAD_ARGUMENT', `source.size is ${show(size)}; accepted: an integer >= 0`)
  const part = async (start: number, end: number): Promise<Uint8Array> => {
    const bytes = await source.read(start, end)
    if (bytes.length !== end - start)
      throw badFile(name, `ended while it was read: ${bytes.length} of ${end - start} bytes at ${start}`)
    return bytes
  }
  const length = headerLength(await part(0, Math.min(PREFIX, size)), size, name)
  const header = parseHeader(await part(PREFIX, PREFIX + length), size, name)
  return {
    ...header,
    name,
    read: async (key) => {
      const stored = find(header, key, name)
      const bytes = await part(stored.start, stored.end)
      return tensorOf(stored, key, name, () => bytes)
    },
  }
}

/**
 * Reads all tensors of a file that is in memory.
 * @throws FEP_BAD_FILE, FEP_UNSUPPORTED where a tensor has a type that is not read
 */
export function readSafetensors(
  bytes: Uint8Array,
  { name = 'safetensors' }: { readonly name?: string } = {},
): { readonly tensors: Readonly<Record<string, Tensor>>; readonly metadata: Header['metadata'] } {
  const header = headerOf(bytes, name)
  const tensors = [...header.tensors].map(([key, stored]): [string, Tensor] => [
    key,
    tensorOf(stored, key, name, ({ start, end }) => bytes.subarray(start, end)),
  ])
  return { tensors: Object.fromEntries(tensors), metadata: header.metadata }
}

function headerOf(bytes: Uint8Array, name: string): Header {
  const length = headerLength(bytes, bytes.length, name)
  return parseHeader(bytes.subarray(PREFIX, PREFIX + length), bytes.length, name)
}

function find({ tensors }: Header, key: string, name: string): StoredTensor {
  const stored = tensors.get(key)
  if (stored) return stored
  const list = [...tensors.keys()].slice(0, 8).join(', ')
  throw badFile(name, `has no tensor ${show(key)}; it has ${list || 'none'}${tensors.size > 8 ? ', …' : ''}`)
}

function tensorOf(
  stored: StoredTensor,
  key: string,
  name: string,
  bytes: (stored: StoredTensor) => Uint8Array,
): Tensor {
  const dtype = readsAs(stored.dtype)
  if (!dtype)
    throw new FepError(
      'FEP_UNSUPPORTED',
      `${name}: tensor ${show(key)} is ${stored.dtype}; accepted: ${readableDTypes.join(', ')}`,
    )
  // A copy: bytes may lie anywhere in their buffer, and elements may not.
  const copy = new Uint8Array(stored.end - stored.start)
  copy.set(bytes(stored))
  const data = decode(stored.dtype, copy, (why) => badFile(name, `: tensor ${show(key)} ${why}`))
  return { dtype, shape: stored.shape, data }
}
