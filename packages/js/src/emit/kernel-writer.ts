/** Writes the text of one kernel, and notes which buffers it touches and which variables it needs from outside. */
import type { Buffer, View } from '@fep-moe/core/lowering'

const isNumber = (index: string): boolean => /^\d+$/.test(index)

/**
 * What variables of a kernel are called, before a number keeps them apart. The module's own names are b, c, k, t or w and
 * a number: none of these may become one of them.
 */
export type Wish =
  | ('a' | 'e' | 'i' | 'j' | 'l' | 'm' | 'n' | 'p' | 'r' | 's' | 'v' | 'x' | 'y')
  | ('batch' | 'cell' | 'from' | 'rest' | 'row' | 'state' | 'to' | 'total' | 'value')

/** See the file's header. */
export class KernelWriter {
  /** Buffers that the kernel reads or writes. */
  readonly buffers = new Set<Buffer>()
  /** Variables of its own. */
  private readonly locals = new Set<string>()
  /** Variables that whoever calls the kernel must pass: steps of enclosing Scans. */
  readonly outer = new Set<string>()
  private readonly lines: string[] = []
  private depth = 1

  /** The body, indented for a function. */
  get text(): string {
    return this.lines.join('\n')
  }

  /** A line. */
  line(text: string): void {
    this.lines.push('  '.repeat(this.depth) + text)
  }

  /** Opens a block: `head {`. */
  open(head: string): void {
    this.line(`${head} {`)
    this.depth++
  }

  /** Closes it. */
  close(): void {
    this.depth--
    this.line('}')
  }

  /** A variable that is free here: i, i2, i3, … */
  fresh(wish: Wish): string {
    let name: string = wish
    for (let n = 2; this.locals.has(name); n++) name = `${wish}${n}`
    this.locals.add(name)
    return name
  }

  /** A constant for an expression that is used more than once; a variable or a number needs none. */
  hold(wish: Wish, code: string): string {
    if (/^\w+$/.test(code)) return code
    const name = this.fresh(wish)
    this.line(`const ${name} = ${code}`)
    return name
  }

  /** `for (let i = 0; i < 16; i++) {`; returns the variable. The extents and the step are literals or variables. */
  loop(wish: Wish, to: number | string, step = 1, from: number | string = 0): string {
    const name = this.fresh(wish)
    this.open(
      `for (let ${name} = ${from}; ${name} < ${to}; ${step === 1 ? `${name}++` : `${name} += ${step}`})`,
    )
    return name
  }

  /** The array of a view. */
  array({ buffer }: View): string {
    this.buffers.add(buffer)
    return buffer.name
  }

  /** `b3[16 * i + j]`, to read or to write. An index is a variable, or a number in decimal. */
  element(view: View, indices: readonly string[]): string {
    return `${this.array(view)}[${this.place(view, indices)}]`
  }

  /** Where a view of floats begins, in bytes: `b3.byteOffset`, or a sum. */
  address(view: View): string {
    const [start, place] = [`${this.array(view)}.byteOffset`, this.place(view, [])]
    return place === '0' ? start : `${start} + 4 * (${place})`
  }

  private place(view: View, indices: readonly string[]): string {
    let constant = view.offset
    const terms: string[] = []
    const add = (index: string, stride: number) => {
      if (isNumber(index)) constant += stride * Number(index)
      else if (stride !== 0)
        terms.push(stride === 1 ? index : stride === -1 ? `-${index}` : `${stride} * ${index}`)
    }
    for (const { variable, stride } of view.steps) {
      if (!isNumber(variable) && !this.locals.has(variable)) this.outer.add(variable)
      add(variable, stride)
    }
    indices.forEach((index, axis) => {
      add(index, view.strides[axis] as number)
    })
    if (constant !== 0 || terms.length === 0) terms.push(String(constant))
    return terms.join(' + ').replaceAll('+ -', '- ')
  }
}
