import type { OpName } from '@fep-moe/core'
import type { TfjsName } from '../runtime/names.js'
import type { Call } from './lowering.js'

/**
 * Where elements are in host memory, a loop over them may beat the kernel: tfjs's cpu kernels call a function and compute
 * an index per element, and so do its wasm kernels for comparisons. Figures: milliseconds of processor time for 64 × 5632
 * floats, Node 20.
 */

/**
 * Operators on floats that stay with tfjs's kernels. On wasm: XNNPACK's (Add 0.2, a loop 0.5; a product of 64 × 32 and
 * 32 × 5632 takes 1.6, a loop 30) and what is faster for another reason (Log 2.7 and 5.4, Transpose 1.7 and 2.0); against
 * Max 3.7 to 58 and 2.6, Greater 3.4 to 56 and 0.3, Exp 4.1 and 2.6, Erf 3.5 and 2.2, Tanh 9.2 and 3, Slice 1.2 and 0.1.
 * On cpu: Add 13 to 65 and 0.5, Slice 301 and 0.1. On node all are Eigen's or oneDNN's, and a loop would copy; only what
 * TensorFlow does differently is one.
 */
const KERNELS: Readonly<Record<TfjsName, (op: OpName) => boolean>> = {
  wasm: (op) =>
    ['Add', 'Sub', 'Mul', 'Div', 'Neg', 'Sqrt', 'Log', 'Transpose', 'MatMul', 'Relu'].includes(op),
  cpu: (op) => op === 'MatMul',
  node: (op) =>
    !['ScatterND', 'ScatterElements', 'GatherElements', 'LinearScan', 'Where', 'TopK'].includes(op),
  webgl: () => true,
  webgpu: () => true,
}

/** Operators on integers and booleans that TensorFlow's kernels do as the reference does. */
const NODE_INTEGERS: readonly OpName[] = [
  'Add',
  'Sub',
  'Max',
  'Min',
  'Greater',
  'GreaterOrEqual',
  'Equal',
  'And',
  'Not',
  'Gather',
  'Slice',
  'Concat',
  'Transpose',
]

/** True where the node runs as a loop. */
export function loopWins({ op, inputs, outputs, device }: Call<OpName>): boolean {
  if (!device.host) return false
  if ([...inputs, ...outputs].some(({ shape }) => shape.length > device.maxRank)) return true
  const floats = [...inputs, ...outputs].every((layout) => layout.dtype === 'float32')
  if (floats) return !KERNELS[device.name](op)
  if (device.name !== 'node') return true
  // A comparison takes floats and gives booleans; a conversion to int32 must wrap and take NaN to 0.
  if (op === 'Cast') return outputs[0]?.dtype !== 'float32'
  return !NODE_INTEGERS.includes(op)
}
