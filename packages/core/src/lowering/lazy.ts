/**
 * Lazy values: a literal, a view, or an elementwise expression over views that all have the value's shape. A lazy value
 * is computed where it is read, in the loop of its reader: that is how chains of elementwise operators become one loop.
 */
import type { DType } from '../graph/types.js'
import type { ScalarName } from './scalar-name.js'
import { broadcastView, reshapeView, type View } from './view.js'

/** What computes one element. */
export type Tree =
  | { readonly kind: 'literal'; readonly dtype: DType; readonly value: number }
  | { readonly kind: 'load'; readonly dtype: DType; readonly view: View }
  | { readonly kind: 'apply'; readonly dtype: DType; readonly op: ScalarName; readonly args: readonly Tree[] }

/** A value that is not necessarily in memory. */
export interface Lazy {
  readonly shape: readonly number[]
  readonly tree: Tree
}

/** A view as a value. */
export const lazyView = (view: View): Lazy => ({
  shape: view.shape,
  tree: { kind: 'load', dtype: view.buffer.dtype as DType, view },
})

/** The views that a tree reads, left to right. */
export function viewsOf(tree: Tree): View[] {
  if (tree.kind === 'load') return [tree.view]
  return tree.kind === 'apply' ? tree.args.flatMap(viewsOf) : []
}

/** Number of operators in a tree. */
export const sizeOfTree = (tree: Tree): number =>
  tree.kind === 'apply' ? tree.args.reduce((n, arg) => n + sizeOfTree(arg), 1) : 0

/** The operators of a tree, in the order in which they are applied. */
export const operatorsOf = (tree: Tree): ScalarName[] =>
  tree.kind === 'apply' ? [...tree.args.flatMap(operatorsOf), tree.op] : []

/** A tree with every view replaced. */
export function mapViews(tree: Tree, change: (view: View) => View): Tree {
  if (tree.kind === 'load') return { ...tree, view: change(tree.view) }
  return tree.kind === 'apply' ? { ...tree, args: tree.args.map((arg) => mapViews(arg, change)) } : tree
}

/** Moves elements by moving views. */
export const moveLazy = ({ tree }: Lazy, shape: readonly number[], change: (view: View) => View): Lazy => ({
  shape,
  tree: mapViews(tree, change),
})

/** Repeats elements; see {@link broadcastView}. */
export const broadcastLazy = (lazy: Lazy, shape: readonly number[]): Lazy =>
  moveLazy(lazy, shape, (view) => broadcastView(view, shape))

/** Another shape; undefined where one of the views cannot take it. */
export function reshapeLazy(lazy: Lazy, shape: readonly number[]): Lazy | undefined {
  if (viewsOf(lazy.tree).some((view) => !reshapeView(view, shape))) return undefined
  return moveLazy(lazy, shape, (view) => reshapeView(view, shape) as View)
}
