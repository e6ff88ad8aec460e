/** Collects buffers and kernels of one module while its graph is lowered. */
import { allocate, countOf, type DType } from '@fep-moe/core'
import { type Buffer, broadcastView, type View, wholeView } from '@fep-moe/core/lowering'
import { KernelWriter } from '../emit/kernel-writer.js'
import type { ConstantBuffer, PackedMatrix, Stage } from '../ir/module.js'
import { panelsLength } from '../matvec/panels.js'

/** Elements in panels per module, 2 MiB: programs share the memory in which the kernel works. */
const MOST_PACKED = 2 ** 18

/** See the file's header. */
export class ModuleBuilder {
  readonly feeds = new Map<string, Buffer>()
  readonly constants: ConstantBuffer[] = []
  readonly matrices: PackedMatrix[] = []
  readonly memory: Buffer[] = []
  readonly stages: Stage[] = []
  private readonly literals = new Map<string, View>()
  private readonly feedNames = new Set<string>()
  private current: Stage[] = this.stages
  private kernels = 0
  private loops = 0

  /** An input of the graph. */
  feed(name: string, dtype: DType, shape: readonly number[]): View {
    let wish = `$${name.replace(/\W/g, '_')}`
    for (let n = 2; this.feedNames.has(wish); n++) wish = `$${name.replace(/\W/g, '_')}_${n}`
    this.feedNames.add(wish)
    const buffer: Buffer = { name: wish, kind: 'feed', dtype, length: countOf(shape) }
    this.feeds.set(name, buffer)
    return wholeView(buffer, shape)
  }

  /** Fresh memory. */
  allocate(dtype: Buffer['dtype'], shape: readonly number[]): View {
    const name = `b${this.memory.length}`
    const buffer: Buffer = { name, kind: 'memory', dtype, length: countOf(shape) }
    this.memory.push(buffer)
    return wholeView(buffer, shape)
  }

  /** An array that is made once, rounded to its dtype. */
  constant(dtype: DType, shape: readonly number[], data: ArrayLike<number>): View {
    const name = `c${this.constants.length}`
    const buffer: Buffer = { name, kind: 'constant', dtype, length: data.length }
    const array = allocate(dtype, data.length)
    array.set(data)
    this.constants.push({ buffer, data: array })
    return wholeView(buffer, shape)
  }

  /** A constant matrix (m, k) in panels; undefined where there are too many. */
  panels(matrix: View): Buffer | undefined {
    const same = this.matrices.find((other) => isSame(other.matrix, matrix))
    if (same) return same.buffer
    const length = panelsLength(...(matrix.shape as [number, number]))
    const packed = this.matrices.reduce((n, { buffer }) => n + buffer.length, length)
    const source = this.constants.find(({ buffer }) => buffer === matrix.buffer)
    if (!source || packed > MOST_PACKED) return undefined
    const buffer: Buffer = { name: `w${this.matrices.length}`, kind: 'panels', dtype: 'float64', length }
    this.matrices.push({ buffer, matrix, data: source.data })
    return buffer
  }

  /** One number in memory, seen as a whole shape. */
  literal(dtype: DType, value: number, shape: readonly number[]): View {
    const key = `${dtype} ${Object.is(value, -0) ? '-0' : value}`
    const view = this.literals.get(key) ?? this.constant(dtype, [], [value])
    this.literals.set(key, view)
    return broadcastView(view, shape)
  }

  /** Appends a kernel. */
  kernel(label: string, write: (k: KernelWriter) => void): void {
    const writer = new KernelWriter()
    write(writer)
    if (writer.text === '') return
    this.current.push({
      kind: 'kernel',
      name: `k${this.kernels++}`,
      label,
      buffers: writer.buffers,
      variables: [...writer.outer],
      body: writer.text,
    })
  }

  /** Appends a loop; what `body` appends goes into it. The variable is the number of the step. */
  loop(steps: number, reverse: boolean, body: (variable: string) => void): void {
    const variable = `t${this.loops++}`
    const outer = this.current
    const inner: Stage[] = []
    this.current = inner
    body(variable)
    this.current = outer
    outer.push({ kind: 'loop', variable, steps, reverse, body: inner })
  }
}

const isSame = (a: View, b: View): boolean =>
  a.buffer === b.buffer && a.offset === b.offset && `${a.shape} ${a.strides}` === `${b.shape} ${b.strides}`
