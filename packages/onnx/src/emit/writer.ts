/** Writes one ONNX graph: nodes, literals, and the few helper values that several lowerings share. */
import { type Dim, extent, type Shape, type ValueInfo } from '@fep-moe/core'
import type { Deferred } from './deferred.js'
import type { ModelScope } from './model-scope.js'
import {
  type Attr,
  attribute,
  type GraphInit,
  literal,
  type NodeInit,
  type OnnxType,
  type TensorInit,
  type ValueInfoInit,
  valueInfo,
} from './protobuf.js'

/** A graph under construction. */
export class GraphWriter {
  /** The name of the core value that is being lowered; names of helper nodes start with it. */
  at = ''
  private readonly nodes: NodeInit[] = []
  private readonly literals: TensorInit[] = []
  private readonly infos = new Map<string, ValueInfoInit>()
  private readonly shared = new Map<string, string>()
  private readonly made = new Set<string>()
  private readonly deferred = new Map<string, Deferred>()
  private readonly unwritten = new Set<string>()

  constructor(
    readonly model: ModelScope,
    /** The graph around this one; its values are visible here. */
    readonly parent?: GraphWriter,
  ) {}

  /**
   * Appends a node with one result.
   * @param output the result's name; default: a helper name under {@link at}. The node of a named result carries the
   * name of the core value, so that it reads the same in a viewer whatever the result is called outside.
   */
  op(
    type: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, Attr>> = {},
    output?: string,
  ): string {
    return this.ops(
      type,
      inputs,
      attrs,
      [output ?? this.helper(type)],
      output === undefined ? undefined : this.at,
    )[0] as string
  }

  /** Appends a node with several results. */
  ops(
    type: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, Attr>>,
    outputs: readonly string[],
    name = outputs[0] as string,
  ): readonly string[] {
    this.nodes.push({
      name: this.model.nodeNames.unique(name),
      opType: type,
      input: [...inputs],
      output: [...outputs],
      attribute: Object.entries(attrs).map(([key, value]) => attribute(key, value)),
    })
    for (const output of outputs) this.made.add(output)
    return outputs
  }

  /** True for results of this graph's own nodes: not for literals, inputs, or values of the graphs around it. */
  owns(name: string): boolean {
    return this.made.has(name)
  }

  /** Registers a value that is written when somebody reads it whole; see {@link written}. */
  defer(name: string, value: Deferred): string {
    this.deferred.set(name, value)
    this.unwritten.add(name)
    return name
  }

  /** What a deferred value is made of. */
  partsOf(name: string): Deferred['value'] | undefined {
    return this.deferred.get(name)?.value ?? this.parent?.partsOf(name)
  }

  /** True where a value has a name, but no node yet. */
  isUnwritten(name: string): boolean {
    return this.unwritten.has(name)
  }

  /** The name of a value that can be read whole: a deferred one is written first. */
  written(name: string): string {
    if (this.unwritten.delete(name)) this.deferred.get(name)?.write()
    return name
  }

  /** A fresh name for a value that the core graph does not name. */
  helper(label: string): string {
    return this.model.names.unique(this.at === '' ? label : `${this.at}/${label}`)
  }

  /** Computes something once in this graph; graphs around it are asked first. */
  once(key: string, make: () => string): string {
    const known = this.known(key)
    if (known !== undefined) return known
    const name = make()
    this.shared.set(key, name)
    return name
  }

  /** What {@link once} computed under a key, if it did. */
  known(key: string): string | undefined {
    return this.shared.get(key) ?? this.parent?.known(key)
  }

  /** Stores a literal. */
  literal(name: string, type: OnnxType, dims: readonly number[], data: ArrayLike<number>): string {
    this.literals.push(literal(name, type, dims, data))
    if (data.length === 1) this.model.scalars.set(name, data[0] as number)
    if (Array.prototype.every.call(data, (v: number) => v === 0)) this.model.zeros.add(name)
    return name
  }

  /** A literal that helper nodes share. Default shape: a vector. */
  constant(type: OnnxType, data: readonly number[], dims: readonly number[] = [data.length]): string {
    const key = `${type}[${dims.join()}](${data.length <= 16 ? data.join() : `${data.length} values`})`
    const identity = data.length <= 16 ? key : `${key}:${data.join()}`
    return this.once(identity, () => this.literal(this.model.names.unique(key), type, dims, data))
  }

  /** A float32 scalar. */
  scalar(value: number): string {
    return this.constant('float32', [value], [])
  }

  /** The run-time batch size as an int64 vector of one. */
  batchSize(): string {
    const { batch } = this.model
    if (!batch) return this.constant('int64', [1])
    const root = this.root()
    return root.once('batch', () => {
      const size = root.ops('Shape', [batch.input], { start: batch.axis, end: batch.axis + 1 }, [
        this.model.names.unique('batch'),
      ])[0] as string
      return batch.factor === 1 ? size : root.op('Div', [size, root.constant('int64', [batch.factor])])
    })
  }

  /** A shape as an int64 vector: a literal where numeric, else put together from the batch size. */
  shape(shape: Shape): string {
    if (shape.every((d) => typeof d === 'number')) return this.constant('int64', shape as readonly number[])
    return this.once(`shape(${shape.join()})`, () => {
      const parts: string[] = []
      let run: number[] = []
      const flush = () => {
        if (run.length > 0) parts.push(this.constant('int64', run))
        run = []
      }
      for (const dim of shape) {
        if (typeof dim === 'number') run.push(dim)
        else {
          flush()
          parts.push(this.symbol(dim))
        }
      }
      flush()
      return parts.length === 1 ? (parts[0] as string) : this.op('Concat', parts, { axis: 0 })
    })
  }

  private symbol(dim: Dim): string {
    const { factor } = extent(dim)
    if (factor === 1) return this.batchSize()
    return this.once(`dim(${dim})`, () =>
      this.op('Mul', [this.batchSize(), this.constant('int64', [factor])]),
    )
  }

  private root(): GraphWriter {
    return this.parent?.root() ?? this
  }

  /** Records the type of a value. */
  describe(name: string, info: ValueInfo): void {
    this.infos.set(name, valueInfo(name, info))
  }

  /** The finished graph. */
  finish(name: string, inputs: readonly ValueInfoInit[], outputs: readonly ValueInfoInit[]): GraphInit {
    for (const { name: surface } of [...inputs, ...outputs]) this.infos.delete(surface as string)
    return {
      name,
      node: this.nodes,
      initializer: this.literals,
      input: [...inputs],
      output: [...outputs],
      valueInfo: [...this.infos.values()],
    }
  }
}
