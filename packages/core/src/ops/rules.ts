/** Shape-rule and gradient helpers that operators share. */
import { FepError } from '../errors.js'
import type { Value } from '../graph/builder.js'
import { reshape, sum } from '../graph/expressions.js'
import { broadcastShapes, countOf, formatShape, sameShape } from '../graph/shape.js'
import type { DType, ValueInfo } from '../graph/types.js'

/** @throws FEP_BAD_GRAPH unless the operand has one of the dtypes. */
export function expectDType(info: ValueInfo | undefined, position: number, ...allowed: DType[]): void {
  if (info && !allowed.includes(info.dtype)) {
    throw new FepError(
      'FEP_BAD_GRAPH',
      `operand ${position} is ${info.dtype}; accepted: ${allowed.join(', ')}`,
    )
  }
}

/** @throws FEP_BAD_GRAPH unless the condition holds. */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new FepError('FEP_BAD_GRAPH', message)
}

/** Broadcast result of operands that share a dtype. */
export function inferBroadcast(
  inputs: readonly ValueInfo[],
  allowed: readonly DType[],
  result?: DType,
): ValueInfo[] {
  inputs.forEach((info, i) => expectDType(info, i, ...allowed))
  const [a, b] = inputs as [ValueInfo, ValueInfo]
  expect(a.dtype === b.dtype, `operands differ in dtype: ${a.dtype} and ${b.dtype}`)
  return [{ dtype: result ?? a.dtype, shape: broadcastShapes(a.shape, b.shape) }]
}

/** Sums a gradient back to the shape of an operand that was broadcast. */
export function unbroadcast(gradient: Value, operand: ValueInfo): Value {
  const { shape } = gradient
  if (sameShape(shape, operand.shape)) return gradient
  const lead = shape.length - operand.shape.length
  expect(
    lead >= 0,
    `a gradient of shape ${formatShape(shape)} cannot belong to ${formatShape(operand.shape)}`,
  )
  const axes = shape.flatMap((dim, i) =>
    i < lead || (operand.shape[i - lead] === 1 && dim !== 1) ? [i] : [],
  )
  return reshape(sum(gradient, axes), operand.shape)
}

/** Element count of a numeric shape, for costs. */
export const count = (info: ValueInfo | undefined): number => (info ? countOf(info.shape) : 0)
