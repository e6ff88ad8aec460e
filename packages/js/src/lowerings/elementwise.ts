/** Elementwise operators become expressions; whoever reads them computes them. */
import { type ScalarName, scalarNames } from '../emit/scalar.js'
import { broadcastLazy, type Tree } from '../ir/lazy.js'
import { type Lowering, type LoweringsOf, operandOf, resultOf } from './lowering.js'

const apply: Lowering<ScalarName> = (scope, node) => {
  const result = resultOf(node)
  const { dtype, shape } = scope.info(result)
  const args = node.inputs.map((name): Tree => broadcastLazy(scope.operand(name, shape), shape).tree)
  scope.define(result, { shape, tree: { kind: 'apply', op: node.op, dtype, args } })
}

const scalars = Object.fromEntries(scalarNames.map((name) => [name, apply])) as LoweringsOf<ScalarName>

export const elementwise: LoweringsOf<ScalarName | 'StopGradient' | 'Size'> = {
  ...scalars,
  StopGradient: (scope, node) => scope.define(resultOf(node), scope.lazy(operandOf(node))),
  Size: (scope, node) => {
    const count = scope.info(operandOf(node)).shape.reduce((n, dim) => n * dim, 1)
    scope.define(resultOf(node), { shape: [], tree: { kind: 'literal', dtype: 'int32', value: count } })
  },
}
