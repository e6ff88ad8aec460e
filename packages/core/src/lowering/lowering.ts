/** What a lowering is, and those that need nothing of a backend: elementwise operators and views. */
import type { NodeOf } from '../graph/types.js'
import type { OpName, PrimitiveName } from '../ops/attrs.js'
import { broadcastLazy, moveLazy, reshapeLazy, type Tree } from './lazy.js'
import { type ScalarName, scalarNames } from './scalar-name.js'
import type { LoweringHost, LoweringScope } from './scope.js'
import { permuteView, reshapeView, sliceView, type View } from './view.js'

/** Defines the outputs of a node: as another view, as an expression, or by a kernel that computes them. */
export type Lowering<S, O extends OpName> = (scope: S, node: NodeOf<O>) => void

/** Lowerings of some operators. */
export type LoweringsOf<S, O extends OpName> = { readonly [K in O]: Lowering<S, K> }

/** The only output, or the first. */
export const resultOf = (node: { readonly outputs: readonly string[] }): string => node.outputs[0] as string

/** An operand. */
export const operandOf = (node: { readonly inputs: readonly string[] }, i = 0): string =>
  node.inputs[i] as string

type Scope = LoweringScope<LoweringHost>
type Shared = Extract<
  PrimitiveName,
  ScalarName | 'StopGradient' | 'Size' | 'Constant' | 'Reshape' | 'Transpose' | 'Expand' | 'Slice'
>

const apply: Lowering<Scope, ScalarName> = (scope, node) => {
  const result = resultOf(node)
  const { dtype, shape } = scope.info(result)
  const args = node.inputs.map((name): Tree => broadcastLazy(scope.operand(name, shape), shape).tree)
  scope.define(result, { shape, tree: { kind: 'apply', op: node.op, dtype, args } })
}

/** Operators that move or compute elements where they are read. */
export const sharedLowerings: LoweringsOf<Scope, Shared> = {
  ...(Object.fromEntries(scalarNames.map((name) => [name, apply])) as LoweringsOf<Scope, ScalarName>),
  StopGradient: (scope, node) => scope.define(resultOf(node), scope.lazy(operandOf(node))),
  Size: (scope, node) => {
    const count = scope.info(operandOf(node)).shape.reduce((n, dim) => n * dim, 1)
    scope.define(resultOf(node), { shape: [], tree: { kind: 'literal', dtype: 'int32', value: count } })
  },
  Constant: (scope, node) => {
    const { dtype, shape, data } = node.attrs as { shape: readonly number[] } & typeof node.attrs
    const first = data[0] ?? 0
    // One number, however often it repeats, is part of the code that reads it.
    if (Array.prototype.every.call(data, (v) => Object.is(v, first)))
      scope.define(resultOf(node), { shape, tree: { kind: 'literal', dtype, value: first } })
    else scope.define(resultOf(node), scope.module.constant(dtype, shape, data))
  },
  Reshape: (scope, node) => {
    const [x, result] = [operandOf(node), resultOf(node)]
    const { shape } = scope.info(result)
    scope.define(
      result,
      reshapeLazy(scope.lazy(x), shape) ?? (reshapeView(scope.materialize(x), shape) as View),
    )
  },
  Transpose: (scope, node) => {
    const result = resultOf(node)
    const { shape } = scope.info(result)
    scope.define(
      result,
      moveLazy(scope.lazy(operandOf(node)), shape, (view) => permuteView(view, node.attrs.perm)),
    )
  },
  Expand: (scope, node) => {
    const result = resultOf(node)
    const { shape } = scope.info(result)
    scope.define(result, broadcastLazy(scope.operand(operandOf(node), shape), shape))
  },
  Slice: (scope, node) => {
    const result = resultOf(node)
    const { axes, starts } = node.attrs
    const { shape } = scope.info(result)
    const cut = (view: View) =>
      axes.reduce((v, axis, i) => sliceView(v, axis, starts[i] as number, shape[axis] as number), view)
    scope.define(result, moveLazy(scope.lazy(operandOf(node)), shape, cut))
  },
}
