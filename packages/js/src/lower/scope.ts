/** A scope whose kernels are functions of the generated module. */
import { LoweringScope, operatorsOf, type View } from '@fep-moe/core/lowering'
import type { KernelWriter } from '../emit/kernel-writer.js'
import { emitStore } from '../emit/store.js'
import type { ModuleBuilder } from './module-builder.js'

/** See the file's header. */
export class Scope extends LoweringScope<ModuleBuilder> {
  /** Appends the kernel of an operator. */
  kernel(op: string, name: string, write: (k: KernelWriter) => void): void {
    this.module.kernel(`${name}: ${op}`, write)
  }

  store(name: string, target: View): void {
    const lazy = this.lazy(name)
    const ops = operatorsOf(lazy.tree)
    this.kernel(ops.length > 0 ? ops.join(', ') : 'copy', name, (k) => emitStore(k, target, lazy))
  }
}
