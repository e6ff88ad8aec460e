/** A scope whose kernels are WGSL; inside a recurrence over rows of a batch it knows which axis of a value holds them. */
import type { Graph } from '@fep-moe/core'
import {
  type Lazy,
  LoweringScope,
  operatorsOf,
  type RowAxis,
  type View,
  viewsOf,
} from '@fep-moe/core/lowering'
import { costOf, storeTree } from '../emit/scalar.js'
import type { KernelSpec, ModuleBuilder } from './module-builder.js'

/** See the file's header. */
export class Scope extends LoweringScope<ModuleBuilder> {
  constructor(
    module: ModuleBuilder,
    graph: Graph,
    private readonly rowAxes?: ReadonlyMap<string, RowAxis>,
  ) {
    super(module, graph)
  }

  /** The axis of a value that holds rows, where every workgroup has a row of its own. */
  row(name: string): number | undefined {
    const axis = this.rowAxes?.get(name)
    return axis === 'none' ? undefined : axis
  }

  /** Appends the kernel of an operator. */
  kernel(op: string, name: string, spec: KernelSpec): void {
    this.module.kernel(`${name}: ${op}`, spec)
  }

  store(name: string, target: View): void {
    this.storeLazy(name, target, this.lazy(name), this.row(name))
  }

  /** Computes a lazy value into a view of its shape. */
  storeLazy(name: string, target: View, { shape, tree }: Lazy, row: number | undefined): void {
    const ops = operatorsOf(tree)
    this.kernel(ops.length > 0 ? ops.join(', ') : 'copy', name, {
      items: shape,
      row,
      cost: costOf(tree),
      write: ({ k, space }) => {
        const at = space([target, ...viewsOf(tree)])
        const index = (view: View) => k.index(view, at.terms(view))
        storeTree(k, target, index(target), tree, index)
      },
    })
  }
}

/** The position of an axis among those that are left when others are taken away. */
export const positionOf = (axis: number | undefined, without: readonly number[]): number | undefined =>
  axis === undefined ? undefined : axis - without.filter((other) => other < axis).length
