/** What a lowering is here. */
import type { OpName } from '@fep-moe/core'
import type * as core from '@fep-moe/core/lowering'
import type { Scope } from '../lower/scope.js'

/** Defines the outputs of a node: as another view, as an expression, or by a kernel that computes them. */
export type Lowering<O extends OpName> = core.Lowering<Scope, O>

/** Lowerings of some operators. */
export type LoweringsOf<O extends OpName> = core.LoweringsOf<Scope, O>
