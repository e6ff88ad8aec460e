/** The elementwise kernel: one loop nest that computes a lazy value into a view. */
import { type Lazy, type View, viewsOf } from '@fep-moe/core/lowering'
import type { KernelWriter } from './kernel-writer.js'
import { Loops } from './loops.js'
import { scalarCode } from './scalar.js'

/** Writes target[…] = value for every element. */
export function emitStore(k: KernelWriter, target: View, { shape, tree }: Lazy): void {
  if (shape.includes(0)) return
  const loops = new Loops(k, shape, viewsOf(tree), [target])
  loops.openInner()
  k.line(`${loops.element(target)} = ${scalarCode(k, tree, (view) => loops.element(view), true)}`)
  loops.close()
}
