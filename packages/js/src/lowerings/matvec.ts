/** Products of a constant matrix and a vector: one call of the kernel in matvec/. */
import { countOf } from '@fep-moe/core'
import { lazyView, permuteView, type View, wholeView } from '@fep-moe/core/lowering'
import { emitStore } from '../emit/store.js'
import type { ModuleBuilder } from '../lower/module-builder.js'
import type { Scope } from '../lower/scope.js'
import { isPlainVector } from '../matvec/panels.js'

/** Fewer elements are no slower in the loop that is written for them, nor is one row. */
const FEWEST_ELEMENTS = 16

interface Parts {
  /** (m, k) */
  readonly matrix: View
  /** (1, k) */
  readonly vector: View
}

/** The last two axes of a view whose other axes have length 1. */
const plane = (view: View): View => ({
  ...view,
  shape: view.shape.slice(-2),
  strides: view.strides.slice(-2),
})

/** A product seen as matrix times vector: (m, k) x (k, 1) as it is, (1, k) x (k, n) turned. */
function partsOf(a: View, b: View): Parts | undefined {
  if (countOf(a.shape.slice(0, -2)) !== 1 || countOf(b.shape.slice(0, -2)) !== 1) return undefined
  const turned = (view: View) => permuteView(plane(view), [1, 0])
  const [left, right] = [
    { matrix: plane(a), vector: turned(b) },
    { matrix: turned(b), vector: plane(a) },
  ]
  return [left, right].find(
    ({ matrix, vector }) =>
      vector.shape[0] === 1 &&
      (matrix.shape[0] as number) > 1 &&
      countOf(matrix.shape) >= FEWEST_ELEMENTS &&
      matrix.buffer.kind === 'constant' &&
      matrix.steps.length === 0,
  )
}

/**
 * Writes a product where the kernel can compute it.
 * @param out fresh memory of its own, which has room for the rows that fill the last panel
 * @returns false where nothing was written
 */
export function lowerMatVec(scope: Scope, name: string, a: View, b: View, out: View): boolean {
  const parts = partsOf(a, b)
  const panels = parts && scope.module.panels(parts.matrix)
  if (!panels) return false
  const { matrix, vector } = parts
  const [m, k] = matrix.shape as [number, number]
  scope.kernel(`MatMul (${a.shape.join(', ')}) x (${b.shape.join(', ')})`, name, (w) => {
    const x = isPlainVector(vector) ? vector : ownVector(scope.module, vector)
    if (x !== vector) emitStore(w, x, lazyView(vector))
    const addresses = [x, wholeView(panels, [panels.length]), out].map((view) => w.address(view))
    w.line(`matvec(${addresses.join(', ')}, ${k}, ${m})`)
  })
  return true
}

const ownVector = (module: ModuleBuilder, { shape }: View): View => module.allocate('float32', shape)
