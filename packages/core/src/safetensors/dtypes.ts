/** Element types of the safetensors format, and how those that a tensor here can hold are read. */
import type { FepError } from '../errors.js'
import type { DType } from '../graph/types.js'
import type { TensorData } from '../tensor.js'

/** Bits per element of every type that the format defines (safetensors 0.8); floats of 4 and 6 bits are packed. */
export const BITS = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  U16: 16,
  I16: 16,
  U32: 32,
  I32: 32,
  U64: 64,
  I64: 64,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  F8_E8M0: 8,
  F16: 16,
  BF16: 16,
  F32: 32,
  F64: 64,
  C64: 64,
} as const

/** An element type as a file names it. */
export type StoredDType = keyof typeof BITS

/** What a tensor becomes when it is read: exact, except F64, which is rounded to the nearest float32. */
const READS: { readonly [D in StoredDType]?: DType } = {
  F32: 'float32',
  F16: 'float32',
  BF16: 'float32',
  F64: 'float32',
  I32: 'int32',
  I64: 'int32',
  BOOL: 'bool',
}

/** The dtype that a stored type is read as; undefined where it is not read. */
export const readsAs = (stored: StoredDType): DType | undefined => READS[stored]

/** Stored types that can be read. */
export const readableDTypes = Object.keys(READS) as StoredDType[]

/**
 * Elements of the bytes, which are a copy of the caller's and start at 0 of their buffer. Little-endian, as the format is
 * and as typed arrays are on every platform that JavaScript engines are built for in practice.
 * @param refuse says which tensor it is
 */
export function decode(
  stored: StoredDType,
  { buffer }: Uint8Array<ArrayBuffer>,
  refuse: (why: string) => FepError,
): TensorData {
  switch (stored) {
    case 'F32':
      return new Float32Array(buffer)
    case 'F64':
      return Float32Array.from(new Float64Array(buffer))
    case 'F16':
      return Float32Array.from(new Uint16Array(buffer), half)
    case 'BF16':
      return widenBrain(new Uint16Array(buffer))
    case 'I32':
      return new Int32Array(buffer)
    case 'I64':
      return narrow(new BigInt64Array(buffer), refuse)
    case 'BOOL':
      return truth(new Uint8Array(buffer), refuse)
    default:
      throw refuse(`is ${stored}; accepted: ${readableDTypes.join(', ')}`)
  }
}

/** IEEE 754 binary16: 5 bits of exponent, 10 of fraction. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

/** bfloat16 is the upper half of a float32. */
function widenBrain(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length)
  for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] as number) << 16
  return new Float32Array(bits.buffer)
}

function narrow(wide: BigInt64Array, refuse: (why: string) => FepError): Int32Array {
  const out = new Int32Array(wide.length)
  for (let i = 0; i < wide.length; i++) {
    out[i] = Number(wide[i])
    if (BigInt(out[i] as number) !== wide[i]) throw refuse(`holds ${wide[i]}; accepted: integers of 32 bits`)
  }
  return out
}

function truth(bytes: Uint8Array, refuse: (why: string) => FepError): Uint8Array {
  const wrong = bytes.find((byte) => byte > 1)
  if (wrong !== undefined) throw refuse(`holds ${wrong}; accepted in BOOL: 0 and 1`)
  return bytes
}
