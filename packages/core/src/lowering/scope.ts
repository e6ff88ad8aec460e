/** One graph while it is lowered: the values known so far, and which of them are computed where they are read. */
import { countOf } from '../graph/shape.js'
import type { DType, Graph, ValueInfo } from '../graph/types.js'
import { type Lazy, lazyView, sizeOfTree } from './lazy.js'
import type { View } from './view.js'

/** Operators in one expression; a longer chain is stored in between, so that no expression grows without bound. */
const LARGEST_TREE = 32

/** A value's type where the batch is bound. */
export interface BoundInfo extends ValueInfo {
  readonly shape: readonly number[]
}

/** What a scope asks of the program that it is lowered into. */
export interface LoweringHost {
  /** Fresh memory. */
  allocate(dtype: DType, shape: readonly number[]): View
  /** An array that is made once, rounded to its dtype. */
  constant(dtype: DType, shape: readonly number[], data: ArrayLike<number>): View
  /** One number in memory, seen as a whole shape. */
  literal(dtype: DType, value: number, shape: readonly number[]): View
}

/** See the file's header. */
export abstract class LoweringScope<H extends LoweringHost> {
  private readonly values = new Map<string, Lazy>()
  private readonly uses = new Map<string, number>()

  constructor(
    readonly module: H,
    readonly graph: Graph,
  ) {
    const use = (name: string) => this.uses.set(name, (this.uses.get(name) ?? 0) + 1)
    for (const node of graph.nodes) node.inputs.forEach(use)
    for (const { value } of graph.outputs) use(value)
  }

  /** Appends the kernel that computes a value into a view. */
  abstract store(name: string, target: View): void

  /** dtype and shape of a value. */
  info(name: string): BoundInfo {
    return this.graph.values[name] as BoundInfo
  }

  /** True once a value is defined. */
  knows(name: string): boolean {
    return this.values.has(name)
  }

  /** A value as it is: to be read once per element, where it is needed. */
  lazy(name: string): Lazy {
    return this.values.get(name) as Lazy
  }

  /** A value in memory: to be read in any order and as often as it takes. */
  view(name: string): View {
    const { shape, tree } = this.lazy(name)
    if (tree.kind === 'load') return tree.view
    if (tree.kind === 'literal') return this.module.literal(tree.dtype, tree.value, shape)
    return this.materialize(name)
  }

  /** A value for a reader of some shape: what would be computed more than once is stored. */
  operand(name: string, shape: readonly number[]): Lazy {
    const lazy = this.lazy(name)
    const repeats = lazy.tree.kind === 'apply' && countOf(lazy.shape) !== countOf(shape)
    return repeats ? lazyView(this.view(name)) : lazy
  }

  /** Defines a value. An expression that several read, or that is long, is computed here. */
  define(name: string, value: Lazy | View): void {
    const lazy = 'tree' in value ? value : lazyView(value)
    this.values.set(name, lazy)
    if (lazy.tree.kind !== 'apply') return
    if (this.uses.get(name) !== 1 || sizeOfTree(lazy.tree) > LARGEST_TREE) this.materialize(name)
  }

  /** Fresh memory for a value, row-major. */
  allocate(name: string): View {
    const { dtype, shape } = this.info(name)
    return this.module.allocate(dtype, shape)
  }

  /** Computes a value into fresh memory, where it is from now on. */
  materialize(name: string): View {
    const view = this.allocate(name)
    this.store(name, view)
    this.values.set(name, lazyView(view))
    return view
  }
}
