/**
 * The header of a safetensors file: its length in 8 bytes, then JSON. Everything is checked against the size of the file
 * before anything is allocated: https://github.com/huggingface/safetensors#format
 */
import { FepError, show } from '../errors.js'
import { BITS, type StoredDType } from './dtypes.js'
import { suspicion } from './json.js'
import { fromUtf8 } from './text.js'

/** Bytes in front of the header: its length, little-endian. */
export const PREFIX = 8

/** The longest header that is read, in bytes. A header takes about a hundred bytes per tensor. */
export const LONGEST_HEADER = 2 ** 24

/** A tensor as the header describes it; offsets are bytes from the start of the file. */
export interface StoredTensor {
  readonly dtype: StoredDType
  readonly shape: readonly number[]
  readonly start: number
  readonly end: number
}

/** A checked header. */
export interface Header {
  /** The file's free text, by key. */
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: ReadonlyMap<string, StoredTensor>
}

/** Where an error comes from: `name` is a path or another name of the file. */
export const badFile = (name: string, why: string, cause?: unknown): FepError =>
  new FepError('FEP_BAD_FILE', `${name} ${why}`, { cause })

/**
 * The length of the header.
 * @param first the first 8 bytes, or all there are
 * @param size bytes of the whole file
 * @throws FEP_BAD_FILE
 */
export function headerLength(first: Uint8Array, size: number, name: string): number {
  if (size < PREFIX || first.length < PREFIX)
    throw badFile(name, `has ${Math.min(size, first.length)} bytes; a safetensors file has at least 8`)
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true)
  if (length > BigInt(size - PREFIX))
    throw badFile(
      name,
      `says that its header has ${length} bytes, but ${size - PREFIX} follow: truncated, or no safetensors file`,
    )
  if (length > BigInt(LONGEST_HEADER))
    throw badFile(name, `has a header of ${length} bytes; accepted: up to ${LONGEST_HEADER}`)
  return Number(length)
}

/**
 * Checks a header.
 * @param bytes of the header alone
 * @param size bytes of the whole file: tensors must fill what follows the header, without gaps or overlaps
 * @throws FEP_BAD_FILE
 */
export function parseHeader(bytes: Uint8Array, size: number, name: string): Header {
  const refuse = (why: string, cause?: unknown): never => {
    throw badFile(name, why, cause)
  }
  const json = parseJson(bytes, refuse)
  const base = PREFIX + bytes.length
  const tensors = new Map<string, StoredTensor>()
  let metadata: Readonly<Record<string, string>> = {}
  for (const [key, entry] of Object.entries(json)) {
    if (key === '__metadata__') metadata = checkMetadata(entry, refuse)
    else
      tensors.set(
        key,
        checkTensor(entry, base, size, (why) => refuse(`: tensor ${show(key)} ${why}`)),
      )
  }
  checkCoverage(tensors, base, size, refuse)
  return { metadata, tensors }
}

type Refuse = (why: string, cause?: unknown) => never

function parseJson(bytes: Uint8Array, refuse: Refuse): object {
  let json: unknown
  try {
    const text = fromUtf8(bytes)
    // The format asks for it, so that what is no header is found at once.
    if (text[0] !== '{') refuse(`has a header that starts with ${show(text.slice(0, 1))}; accepted: '{'`)
    const why = suspicion(text)
    if (why) refuse(`has a header that ${why}`)
    json = JSON.parse(text)
  } catch (error) {
    if (error instanceof FepError) throw error
    refuse(`has a header that is not JSON in UTF-8: ${(error as Error).message}`, error)
  }
  return json as object
}

const isRecord = (x: unknown): x is Record<string, unknown> =>
  typeof x === 'object' && x !== null && !Array.isArray(x)
const isSize = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0

function checkMetadata(entry: unknown, refuse: Refuse): Readonly<Record<string, string>> {
  if (!isRecord(entry) || !Object.values(entry).every((value) => typeof value === 'string'))
    refuse(': __metadata__ must map texts to texts')
  return entry as Record<string, string>
}

function checkTensor(entry: unknown, base: number, size: number, refuse: Refuse): StoredTensor {
  const { dtype, shape, data_offsets: offsets, ...rest } = isRecord(entry) ? entry : refuse('is no object')
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) refuse(`has the unknown field ${show(unknown)}`)
  if (typeof dtype !== 'string' || !Object.hasOwn(BITS, dtype))
    refuse(`has dtype ${show(dtype)}; accepted: ${Object.keys(BITS).join(', ')}`)
  if (!Array.isArray(shape) || !shape.every(isSize))
    refuse(`has shape ${show(shape)}; accepted: a list of integers >= 0`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
    refuse(`has data_offsets ${show(offsets)}; accepted: two integers >= 0`)
  const [from, to] = offsets as [number, number]
  if (from > to || to > size - base)
    refuse(`lies at ${from}..${to}; accepted: within the file's ${size - base} bytes of data`)
  const bits = (shape as number[]).reduce((n, d) => n * d, BITS[dtype as StoredDType])
  // A product that is not exact is far beyond any file.
  if (!Number.isSafeInteger(bits) || bits !== 8 * (to - from))
    refuse(`is ${dtype}(${show(shape)}), ${bits / 8} bytes, but ${to - from} are stored`)
  return { dtype: dtype as StoredDType, shape: shape as number[], start: base + from, end: base + to }
}

function checkCoverage(
  tensors: ReadonlyMap<string, StoredTensor>,
  base: number,
  size: number,
  refuse: Refuse,
): void {
  let at = base
  for (const [name, { start, end }] of [...tensors].sort(
    ([, a], [, b]) => a.start - b.start || a.end - b.end,
  )) {
    if (start !== at)
      refuse(`: tensor ${show(name)} starts at byte ${start}; expected ${at}, where the one before it ends`)
    at = end
  }
  if (at !== size) refuse(`has ${size} bytes, but its tensors end at ${at}`)
}
