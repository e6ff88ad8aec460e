/**
 * Builds graphs. Emitting infers shapes at once, so a wrong operand fails where it is written. A builder does only
 * local, exact simplifications (a reshape to the same shape is no node); everything else is a named pass.
 */
import { FepError } from '../errors.js'
import type { CompositeName, OpAttrs, OpName } from '../ops/attrs.js'
import { composites, isComposite, primitives } from '../ops/table.js'
import { formatInfo, isDim } from './shape.js'
import { simplify, withoutExpands } from './simplify.js'
import type { DType, Graph, GraphOutput, Node, Shape, ValueInfo } from './types.js'

/** A value under construction. Belongs to one builder. */
export class Value implements ValueInfo {
  /** Name it will carry, made unique at `build`. */
  hint: string | undefined

  constructor(
    /** The builder it belongs to. */
    readonly builder: GraphBuilder,
    readonly dtype: DType,
    readonly shape: Shape,
    /** The node that defines it; undefined for inputs. */
    readonly node: BuilderNode | undefined,
  ) {}

  /** Names the value under the builder's current scope; names reach exported files. Returns the value. */
  named(name: string): this {
    this.hint = this.builder.qualify(name)
    return this
  }
}

/** A node under construction. `attrs` and `outputs` may still be extended by autodiff (a Scan that must save states). */
export interface BuilderNode {
  readonly op: OpName
  readonly inputs: readonly Value[]
  readonly outputs: Value[]
  attrs: OpAttrs[OpName]
  readonly scope: string
}

/** Options of a {@link GraphBuilder}. */
export interface BuilderOptions {
  /** Emit the definition of composites instead of composite nodes (autodiff needs it). Default false. */
  readonly expandComposites?: boolean
}

/** A mutable graph. */
export class GraphBuilder {
  readonly nodes: BuilderNode[] = []
  private readonly feeds: { name: string; value: Value }[] = []
  private readonly results: { name: string; value: Value }[] = []
  private readonly literals = new Map<string, Value>()
  private scopes: readonly string[] = []

  constructor(
    readonly name: string,
    readonly options: BuilderOptions = {},
  ) {}

  /** Declares a feed. */
  input(name: string, dtype: DType, shape: Shape): Value {
    if (this.feeds.some((f) => f.name === name))
      throw new FepError('FEP_BAD_GRAPH', `graph '${this.name}' has two inputs named '${name}'`)
    for (const dim of shape) {
      if (!isDim(dim))
        throw new FepError(
          'FEP_BAD_GRAPH',
          `input '${name}': ${String(dim)} is no dimension (an integer >= 0, 'batch', or 'N*batch')`,
        )
    }
    const value = new Value(this, dtype, [...shape], undefined)
    value.hint = name
    this.feeds.push({ name, value })
    return value
  }

  /** The declared feeds, in order. */
  get inputs(): readonly { readonly name: string; readonly value: Value }[] {
    return this.feeds
  }

  /** Declares a result. */
  output(name: string, value: Value): void {
    if (value.builder !== this)
      throw new FepError('FEP_BAD_GRAPH', `output '${name}' belongs to another builder`)
    if (this.results.some((r) => r.name === name))
      throw new FepError('FEP_BAD_GRAPH', `graph '${this.name}' has two outputs named '${name}'`)
    this.results.push({ name, value })
  }

  /** A literal; equal literals are one node. */
  constant(data: number | readonly number[], shape: readonly number[] = [], dtype: DType = 'float32'): Value {
    const flat = typeof data === 'number' ? [data] : [...data]
    const key =
      flat.length <= 64
        ? `${dtype}|${shape.join()}|${flat.map((v) => (Object.is(v, -0) ? '-0' : v)).join()}`
        : undefined
    const known = key === undefined ? undefined : this.literals.get(key)
    if (known) return known
    const [value] = this.emit('Constant', [], { dtype, shape, data: flat })
    if (key !== undefined) this.literals.set(key, value as Value)
    return value as Value
  }

  /** Runs `body` with a name prefix, so that exported graphs read well (`memory/h`). */
  scope<R>(name: string, body: () => R): R {
    const outer = this.scopes
    this.scopes = [...outer, name]
    try {
      return body()
    } finally {
      this.scopes = outer
    }
  }

  /** A name under the current scope. */
  qualify(name: string): string {
    return [...this.scopes, name].join('/')
  }

  /** Appends a node and returns its outputs. @throws FEP_BAD_GRAPH with the operator and its operands. */
  emit<O extends OpName>(op: O, operands: readonly Value[], attrs: OpAttrs[O]): Value[] {
    for (const v of operands) {
      if (v.builder !== this)
        throw new FepError('FEP_BAD_GRAPH', `${op}: an operand belongs to another builder`)
    }
    const rule = isComposite(op) ? composites[op] : primitives[op as Exclude<O, CompositeName>]
    const [least, most] = rule.arity
    if (operands.length < least || operands.length > most) {
      throw new FepError(
        'FEP_BAD_GRAPH',
        `${op} takes ${least === most ? least : `${least} to ${most}`} operands, not ${operands.length}`,
      )
    }
    let infos: readonly ValueInfo[]
    try {
      infos = rule.infer(operands, attrs as never)
    } catch (error) {
      if (!(error instanceof FepError)) throw error
      throw new FepError(error.code, `${op}(${operands.map(formatInfo).join(', ')}): ${error.message}`)
    }
    if (isComposite(op) && this.options.expandComposites)
      return [...composites[op].define(operands, attrs as never)]
    const same = simplify(this, op, operands, infos, attrs)
    if (same) return [same]
    const node: BuilderNode = {
      op,
      inputs: withoutExpands(op, operands, infos),
      outputs: [],
      attrs,
      scope: this.scopes.join('/'),
    }
    for (const info of infos) node.outputs.push(new Value(this, info.dtype, info.shape, node))
    this.nodes.push(node)
    return [...node.outputs]
  }

  /** Freezes the graph. Names are the hints where given, else scope and operator; clashes get a number. */
  build(): Graph {
    const taken = new Set<string>()
    /** The next number to try for a wish: names are only ever taken, so none below it is free. */
    const numbers = new Map<string, number>()
    const names = new Map<Value, string>()
    const values: Record<string, ValueInfo> = {}
    const assign = (value: Value, wish: string): string => {
      let name = wish
      if (taken.has(wish)) {
        let n = numbers.get(wish) ?? 2
        while (taken.has(`${wish}_${n}`)) n++
        name = `${wish}_${n}`
        numbers.set(wish, n + 1)
      }
      taken.add(name)
      names.set(value, name)
      values[name] = { dtype: value.dtype, shape: value.shape }
      return name
    }
    for (const { name, value } of this.feeds) assign(value, name)
    const nodes = this.nodes.map((node): Node => {
      const outputs = node.outputs.map((value) =>
        assign(value, value.hint ?? (node.scope ? `${node.scope}/${node.op}` : node.op)),
      )
      return {
        op: node.op,
        inputs: node.inputs.map((v) => names.get(v) as string),
        outputs,
        attrs: node.attrs,
      } as Node
    })
    const outputs = this.results.map(
      ({ name, value }): GraphOutput => ({ name, value: names.get(value) as string }),
    )
    return { name: this.name, inputs: this.feeds.map((f) => f.name), outputs, nodes, values }
  }
}

/** Emits something for one node of a graph that is being re-emitted; `value` finds what earlier names became. */
export type Reemit = (
  node: Node,
  operands: readonly Value[],
  value: (name: string) => Value,
) => readonly Value[]

/**
 * Re-emits a graph's nodes on a builder.
 * @param bindings values for the graph's inputs, by name
 * @param emit what to emit for a node; default: the same node
 * @returns the value of every name in the graph
 */
export function importGraph(
  builder: GraphBuilder,
  graph: Graph,
  bindings: Readonly<Record<string, Value>>,
  emit: Reemit = (node, operands) => builder.emit(node.op, operands, node.attrs),
): Map<string, Value> {
  const known = new Map<string, Value>()
  for (const name of graph.inputs) {
    const value = bindings[name]
    if (!value) throw new FepError('FEP_BAD_GRAPH', `graph '${graph.name}': input '${name}' is not bound`)
    known.set(name, value)
  }
  const find = (name: string) => known.get(name) as Value
  for (const node of graph.nodes) {
    const outputs = emit(node, node.inputs.map(find), find)
    node.outputs.forEach((name, i) => {
      const value = outputs[i] as Value
      if (value.node) value.hint ??= hintFrom(name, node.op, value.node.op)
      known.set(name, value)
    })
  }
  return known
}

/** A chosen name is kept. A generated one (scope, operator, number) keeps its scope and is numbered anew. */
function hintFrom(name: string, was: OpName, is: OpName): string | undefined {
  const at = name.lastIndexOf('/') + 1
  const last = name.slice(at)
  const generated = last === was || (last.startsWith(`${was}_`) && /^\d+$/.test(last.slice(was.length + 1)))
  return generated ? name.slice(0, at) + is : name
}

/** A builder that starts as a copy of a graph, its outputs included unless `outputs` is false. */
export function extendGraph(
  graph: Graph,
  options: BuilderOptions & { name?: string; outputs?: boolean } = {},
): { builder: GraphBuilder; values: Map<string, Value> } {
  const builder = new GraphBuilder(options.name ?? graph.name, options)
  const bindings: Record<string, Value> = {}
  for (const name of graph.inputs) {
    const info = graph.values[name] as ValueInfo
    bindings[name] = builder.input(name, info.dtype, info.shape)
  }
  const values = importGraph(builder, graph, bindings)
  if (options.outputs !== false)
    for (const { name, value } of graph.outputs) builder.output(name, values.get(value) as Value)
  return { builder, values }
}
