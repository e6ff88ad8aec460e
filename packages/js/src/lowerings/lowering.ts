/** What a lowering is. */
import type { NodeOf, PrimitiveName } from '@fep-moe/core'
import type { Scope } from '../lower/scope.js'

/** Defines the outputs of a node: as another view, as an expression, or by a kernel that computes them. */
export type Lowering<O extends PrimitiveName> = (scope: Scope, node: NodeOf<O>) => void

/** Lowerings of some operators. */
export type LoweringsOf<O extends PrimitiveName> = { readonly [K in O]: Lowering<K> }

/** The only output, or the first. */
export const resultOf = (node: { readonly outputs: readonly string[] }): string => node.outputs[0] as string

/** An operand. */
export const operandOf = (node: { readonly inputs: readonly string[] }, i = 0): string =>
  node.inputs[i] as string
