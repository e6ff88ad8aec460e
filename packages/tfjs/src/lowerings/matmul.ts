/** Matrix products, batched. */
import { countOf } from '@fep-moe/core'
import type { Handle, Layout } from '../device/device.js'
import { repeater } from './broadcasting.js'
import { always, isEmpty, resultOf } from './empty.js'
import type { Lowering } from './lowering.js'

/** Rows and columns. */
export const matrix = (shape: readonly number[]): [number, number] => shape.slice(-2) as [number, number]

export const matmul: Lowering<'MatMul'> = (call) => {
  const { device, inputs, swapped } = call
  const out = resultOf(call)
  if (isEmpty(out) || inputs.some(isEmpty)) return always(call)
  const kernel = device.kernel('BatchMatMul')
  const [transposeA = false, transposeB = false] = swapped
  const flags = { transposeA, transposeB }
  const [a, b] = inputs as [Layout, Layout]
  const [rows, _columns] = matrix(out.shape)
  const [batchA, batchB] = [a, b].map(({ shape }) => countOf(shape.slice(0, -2))) as [number, number]
  const total = countOf(out.shape.slice(0, -2))
  const inner = transposeA ? matrix(a.shape)[0] : matrix(a.shape)[1]
  const run = (x: Handle, y: Handle, shapes: readonly [readonly number[], readonly number[]]) =>
    device.reshape(kernel({ a: device.view(x, shapes[0]), b: device.view(y, shapes[1]) }, flags), out.shape)
  // A shared right operand: all rows are one matrix.
  if (batchB === 1 && !transposeA) {
    const shapes = [[batchA * rows, inner], matrix(b.shape)] as const
    return ([x, y]) => [run(x as Handle, y as Handle, shapes)]
  }
  // Kernels disagree about batches that broadcast, so both operands get the whole batch, or the one of a single matrix.
  const lead = out.shape.slice(0, -2)
  const [spreadA, spreadB] = [a, b].map(({ shape }, i) =>
    (i === 0 ? batchA : batchB) === total
      ? (x: Handle) => x
      : repeater(device, shape, [...lead, ...matrix(shape)]),
  ) as [(x: Handle) => Handle, (x: Handle) => Handle]
  const shapes = [
    [total, ...matrix(a.shape)],
    [total, ...matrix(b.shape)],
  ] as const
  return ([x, y]) => [run(spreadA(x as Handle), spreadB(y as Handle), shapes)]
}
