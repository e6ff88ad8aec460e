/**
 * Worst-case errors of the operators, in units in the last place. Those of elementary functions are measured: a test
 * carries the formulas of math/ out in single precision, with and without fused multiply-adds and with the worst quotients
 * that WGSL allows, over a dense sweep.
 */
import type { Accuracy, OpName } from '@fep-moe/core'

const SWEEP = 'packages/webgpu/test/accuracy.test.ts, a sweep over the formulas in single precision'
const SPECIFICATION = 'WGSL 15.7.4.1, Floating Point Accuracy'

/** By operator; those that are missing are rounded correctly. */
export const ACCURACY: Readonly<Partial<Record<OpName, Accuracy>>> = {
  Div: { ulp: 2.5, source: SPECIFICATION },
  Sqrt: { ulp: 5, source: `${SPECIFICATION}: 1 / inverseSqrt(x), 2 and 2.5 units, each rounded` },
  Exp: { ulp: 1, source: SWEEP },
  Log: { ulp: 1, source: SWEEP },
  Sigmoid: { ulp: 4.5, source: SWEEP },
  Tanh: { ulp: 3.5, source: SWEEP },
  Erf: { ulp: 1, source: SWEEP },
  Sin: { ulp: 2, absolute: 2 ** -32, source: SWEEP },
  Cos: { ulp: 2, absolute: 2 ** -32, source: SWEEP },
}
