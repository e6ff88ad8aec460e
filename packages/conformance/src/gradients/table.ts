/** Every operator's gradient, and what holds for all of them. */
import { type OpName, ops } from '@fep-moe/core'
import type { GraphCase } from '../frame/case.js'
import { f, noise } from '../frame/data.js'
import { type GradientExample, type GradientsOf, gradientCase, kink, smooth } from './case.js'
import { compositeGradients } from './composites.js'
import { elementwise } from './elementwise.js'
import { scanGradients } from './scans.js'
import { structured } from './structured.js'

/** Examples of every operator. */
export const gradientExamples: GradientsOf<OpName> = {
  ...elementwise,
  ...structured,
  ...scanGradients,
  ...compositeGradients,
}

/** Properties of autodiff that belong to no single operator. */
const general: readonly GradientExample[] = [
  smooth('a-value-used-three-times', { x: noise(161, [3]) }, ({ x }) => {
    const y = ops.sin(x)
    return { y: ops.add(ops.mul(y, x), ops.exp(y)) }
  }),
  kink(
    'an-unused-input-gets-zeros',
    { x: f([1, 2]), unused: f([3, 4, 5]) },
    ({ x }) => ({ y: ops.mul(x, 3) }),
    {
      x: f([3, 3]),
      unused: f([0, 0, 0]),
    },
  ),
  kink('an-input-that-is-the-output', { x: f([1, 2]) }, ({ x }) => ({ y: x }), { x: f([1, 1]) }),
  kink('two-outputs-of-one-value', { x: f([1, 2]) }, ({ x }) => ({ a: ops.mul(x, 2), b: ops.mul(x, 2) }), {
    x: f([4, 4]),
  }),
  smooth('an-unused-result-costs-nothing', { x: noise(162, [2, 2]) }, ({ x }) => {
    const dead = ops.exp(ops.matmul(x, x))
    return { y: ops.sum(x, 0), size: ops.size(dead) }
  }),
]

/** Every case of the group `gradients`. */
export const gradients = (): GraphCase[] => [
  ...Object.entries(gradientExamples).flatMap(([op, own]) =>
    own === 'discrete' ? [] : own.map((e) => gradientCase(op, e)),
  ),
  ...general.map((e) => gradientCase('general', e)),
]
