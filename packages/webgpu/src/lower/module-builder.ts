/** Collects buffers and kernels of one module while its graph is lowered. */
import { allocate, countOf, type DType, type Tensor } from '@fep-moe/core'
import { type Buffer, broadcastView, type LoweringHost, type View, wholeView } from '@fep-moe/core/lowering'
import { type RowPass, SHARED_ROW, TEAM, teamPass, threadPass } from '../emit/row-pass.js'
import { Space } from '../emit/space.js'
import { WgslWriter } from '../emit/wgsl-writer.js'
import type { ConstantBuffer, Edge, Kernel, Stage, Team } from '../ir/module.js'

/** What the writer of a kernel gets. */
export interface Work {
  readonly k: WgslWriter
  /** The place of the item in the space of the kernel, for views that have its axes first. */
  space(views: readonly View[], apart?: readonly number[]): Space
  /** Walks the row that belongs to the item. */
  readonly pass: RowPass
}

/** A kernel before it is written. */
export interface KernelSpec {
  /** Shape of the space whose items are independent. */
  readonly items: readonly number[]
  /** The axis of that space that holds rows of a batch, where every workgroup has a row of its own. */
  readonly row?: number | undefined
  /** Elements of the row that every item walks with `pass`; long ones are shared by a workgroup. */
  readonly length?: number
  /** Estimated scalar operations of an item. */
  readonly cost: number
  /** Steps of a recurrence, where the work is too much for one dispatch. */
  readonly steps?: number | undefined
  write(work: Work): void
  /** A form of its own for a dispatch of its own. */
  readonly team?: Team | undefined
}

/** See the file's header. */
export class ModuleBuilder implements LoweringHost {
  readonly inputs: Edge[] = []
  readonly constants: ConstantBuffer[] = []
  private readonly literals = new Map<string, View>()
  private buffers = 0
  private loops = 0
  private current: Stage[] = []
  private depth = 0

  /** @param mostCost scalar operations of one dispatch, as far as work can be split */
  constructor(readonly mostCost: number) {}

  /** The stages so far. */
  get stages(): readonly Stage[] {
    return this.current
  }

  /** True while the phases of a recurrence are collected. */
  get isInside(): boolean {
    return this.depth > 0
  }

  /** An input of the graph. */
  input(name: string, dtype: DType, shape: readonly number[]): View {
    const view = this.make('feed', dtype, countOf(shape), shape)
    this.inputs.push({ name, dtype, shape, view })
    return view
  }

  allocate(dtype: DType, shape: readonly number[]): View {
    return this.make('memory', dtype, countOf(shape), shape)
  }

  constant(dtype: DType, shape: readonly number[], numbers: ArrayLike<number>): View {
    const data: Tensor['data'] = allocate(dtype, numbers.length)
    data.set(numbers)
    const view = this.make('constant', dtype, numbers.length, shape)
    this.constants.push({ buffer: view.buffer, data })
    return view
  }

  literal(dtype: DType, value: number, shape: readonly number[]): View {
    const key = `${dtype} ${Object.is(value, -0) ? '-0' : value}`
    const view = this.literals.get(key) ?? this.constant(dtype, [], [value])
    this.literals.set(key, view)
    return broadcastView(view, shape)
  }

  /** Appends a kernel; one without items is none. */
  kernel(label: string, { items: shape, row, length = 1, cost, steps, write, team }: KernelSpec): void {
    const items = countOf(shape.filter((_, axis) => axis !== row))
    if (items === 0) return
    const work = (k: WgslWriter, index: string, pass: RowPass): Work => ({
      k,
      space: (views, apart) => new Space(k, index, shape, views, { row, ...(apart && { apart }) }),
      pass,
    })
    const shared: Team = {
      groups: items,
      size: TEAM,
      write: (k, group, lane) => write(work(k, group, teamPass(k, length, lane))),
    }
    const single = (k: WgslWriter, index: string) => write(work(k, index, threadPass(k, length)))
    const seen = new WgslWriter()
    single(seen, 'item')
    const form = team ?? (length >= SHARED_ROW && row === undefined ? shared : undefined)
    const kernel: Kernel = {
      kind: 'kernel',
      label,
      reads: seen.reads,
      writes: seen.writes,
      items,
      cost,
      write: single,
      ...(steps !== undefined && { steps }),
      ...(form && { team: form }),
    }
    this.current.push(kernel)
  }

  /** What `body` appends, instead of appending it. @param inside as a part of a recurrence */
  collect(body: () => void, inside: boolean): Stage[] {
    const outer = this.current
    const own: Stage[] = []
    this.current = own
    if (inside) this.depth++
    body()
    if (inside) this.depth--
    this.current = outer
    return own
  }

  /** Appends stages. */
  append(...stages: readonly Stage[]): void {
    this.current.push(...stages)
  }

  /** A variable for the number of a step. */
  variable(): string {
    return `t${this.loops++}`
  }

  private make(kind: Buffer['kind'], dtype: DType, length: number, shape: readonly number[]): View {
    return wholeView({ name: `b${this.buffers++}`, kind, dtype, length }, shape)
  }
}
