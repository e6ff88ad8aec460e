/**
 * Writes the body of one shader, and notes what it needs: places of views (words of the uniform), functions, memory of
 * the workgroup. Places never appear in the text, so kernels that differ only in them are one pipeline.
 */
import type { DType } from '@fep-moe/core'
import type { Buffer, Step, View } from '@fep-moe/core/lowering'
import type { FunctionName } from '../math/functions.js'

/** A word of the uniform: a buffer's place and an offset, plus what variables contribute that the host knows. */
export interface Slot {
  readonly buffer: Buffer | undefined
  readonly offset: number
  readonly steps: readonly Step[]
}

const SHADER_TYPES = { float32: 'f32', int32: 'i32', bool: 'bool' } as const

/** See the file's header. */
export class WgslWriter {
  readonly reads = new Set<Buffer>()
  readonly writes = new Set<Buffer>()
  readonly slots: Slot[] = []
  readonly functions = new Set<FunctionName>()
  /** Declarations of workgroup memory. */
  readonly shared: string[] = []
  /** Variables of loops that the text itself counts. */
  readonly counted = new Set<string>()
  private readonly keys = new Map<string, string>()
  private readonly buffers = new Map<Buffer, number>()
  private readonly taken = new Map<string, number>()
  private readonly lines: string[] = []
  private depth = 1

  /** The body so far. */
  get text(): string {
    return this.lines.join('\n')
  }

  /** A line. */
  line(text: string): void {
    this.lines.push('  '.repeat(this.depth) + text)
  }

  /** Opens a block: `head {`. */
  open(head: string): void {
    this.line(head === '' ? '{' : `${head} {`)
    this.depth++
  }

  /** Goes on with another branch: `} else {`. */
  otherwise(head = ''): void {
    this.depth--
    this.line(head === '' ? '} else {' : `} else ${head} {`)
    this.depth++
  }

  /** Closes it. */
  close(): void {
    this.depth--
    this.line('}')
  }

  /** A variable that is free: x, x2, x3, … */
  fresh(wish: string): string {
    const n = (this.taken.get(wish) ?? 0) + 1
    this.taken.set(wish, n)
    return n === 1 ? wish : `${wish}${n}`
  }

  /** Names an expression, unless it is a name or a number already. */
  hold(wish: string, code: string): string {
    if (/^([a-z]\w*|\d+u)$/.test(code)) return code
    const name = this.fresh(wish)
    this.line(`let ${name} = ${code};`)
    return name
  }

  /** `for (var l = 0u; l < 16u; l += 1u) {`; returns the variable. */
  loop(wish: string, to: string, start = '0u', step = '1u'): string {
    const name = this.fresh(wish)
    this.open(`for (var ${name} = ${start}; ${name} < ${to}; ${name} += ${step})`)
    return name
  }

  /** A function of math/, or a helper. */
  use(name: FunctionName): string {
    this.functions.add(name)
    return name
  }

  /** Memory of the workgroup. */
  share(dtype: DType, length: number): string {
    const name = this.fresh('partial')
    this.shared.push(`var<workgroup> ${name}: array<${SHADER_TYPES[dtype]}, ${length}>;`)
    return name
  }

  /** A number that the host gives at every dispatch. */
  word(variable: string): string {
    return this.slot({ buffer: undefined, offset: 0, steps: [{ variable, stride: 1 }] })
  }

  /** The index of an element: a place plus terms such as `4u * i` or `-i`. */
  index(view: View, terms: readonly string[] = []): string {
    const steps = view.steps.filter(({ variable }) => !this.counted.has(variable))
    const counted = view.steps.filter(({ variable }) => this.counted.has(variable))
    return [
      this.slot({ buffer: view.buffer, offset: view.offset, steps }),
      ...counted.map(({ variable, stride }) => term(variable, stride)),
      ...terms,
    ]
      .join(' + ')
      .replaceAll('+ -', '- ')
  }

  /** The word of an element that is read. */
  word32(view: View, index: string): string {
    this.reads.add(view.buffer)
    return `arena[${index}]`
  }

  /** An element as its dtype. */
  load(view: View, index: string): string {
    const word = this.word32(view, index)
    const { dtype } = view.buffer
    if (dtype === 'bool') return `(${word} != 0u)`
    return dtype === 'int32' ? `bitcast<i32>(${word})` : `bitcast<f32>(${word})`
  }

  /** Writes an element given as a value of its dtype. */
  store(view: View, index: string, value: string): void {
    const { dtype } = view.buffer
    this.storeWord(view, index, dtype === 'bool' ? `select(0u, 1u, ${value})` : `bitcast<u32>(${value})`)
  }

  /** Writes an element given as a word. */
  storeWord(view: View, index: string, word: string): void {
    this.writes.add(view.buffer)
    this.line(`arena[${index}] = ${word};`)
  }

  private slot(slot: Slot): string {
    // The first buffer of a kernel is 0, the second 1: equal kernels of two programs have equal keys.
    const id = slot.buffer ? (this.buffers.get(slot.buffer) ?? this.buffers.size) : -1
    if (slot.buffer) this.buffers.set(slot.buffer, id)
    const key = `${id} ${slot.offset} ${slot.steps.map(({ variable, stride }) => `${variable}*${stride}`)}`
    const known = this.keys.get(key)
    if (known !== undefined) return known
    const name = `o${this.slots.length}`
    this.slots.push(slot)
    this.keys.set(key, name)
    return name
  }
}

/** `4u * i`, `i`, `-4u * i`: unsigned arithmetic wraps, so a negative stride is subtracted. */
export function term(variable: string, stride: number): string {
  const size = Math.abs(stride)
  const product = size === 1 ? variable : `${size}u * ${variable}`
  return stride < 0 ? `-${product}` : product
}
