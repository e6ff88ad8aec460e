/** Numbers as WGSL has them. */
import type { DType } from '@fep-moe/core'
import { literalText } from './literal-text.js'
import type { WgslWriter } from './wgsl-writer.js'

const words = new Uint32Array(1)
const floats = new Float32Array(words.buffer)

/** The bits of a float32. */
export function bitsOf(value: number): number {
  floats[0] = value
  return words[0] as number
}

const SMALLEST_NORMAL = 2 ** -126

/**
 * A literal of a dtype. What WGSL cannot write down (infinities, NaN), or what a compiler may change (a negative zero, a
 * subnormal), is made from its bits where the kernel runs.
 * @param opaque nothing may be computed from it when the shader is compiled: there, an overflow is an error
 */
export function literal(k: WgslWriter, value: number, dtype: DType, opaque = false): string {
  if (dtype === 'bool') return value === 0 ? 'false' : 'true'
  if (dtype === 'int32') {
    const held = value | 0
    if (opaque) return `${k.use('int_of')}(${held >>> 0}u)`
    return held < 0 ? `i32(${held})` : `${held}i`
  }
  const held = Math.fround(value)
  const isPlain =
    held === 0 ? !Object.is(held, -0) : Number.isFinite(held) && Math.abs(held) >= SMALLEST_NORMAL
  if (opaque || !isPlain) return `${k.use('float_of')}(0x${bitsOf(held).toString(16).padStart(8, '0')}u)`
  return literalText(held)
}
