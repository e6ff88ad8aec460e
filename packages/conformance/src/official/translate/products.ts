/** Matrix products and recurrent cells. */
import { ops, type Value } from '@fep-moe/core'
import { type Call, refuse, type Translations } from '../call.js'

/** α A B + β C. With α = β = 1, B transposed and one row for C it is our Linear. */
function gemm(call: Call): Value {
  const [alpha, beta] = [call.number('alpha', 1), call.number('beta', 1)]
  const [turnA, turnB] = [call.number('transA', 0) !== 0, call.number('transB', 0) !== 0]
  const a = turnA ? ops.permute(call.value(0)) : call.value(0)
  const columns = call.info(1).shape[turnB ? 0 : 1] as number
  const row = call.has(2) && call.info(2).shape.reduce((n, d) => n * d, 1) === columns
  if (turnB && alpha === 1 && beta === 1 && row)
    return ops.linear(a, call.value(1), ops.reshape(call.value(2), [columns]))
  const product = ops.mul(ops.matmul(a, turnB ? ops.permute(call.value(1)) : call.value(1)), alpha)
  return call.has(2) ? ops.add(product, ops.mul(call.value(2), beta)) : product
}

export const products: Translations = {
  MatMul: (call) => {
    if ([0, 1].some((i) => call.info(i).shape.length < 2)) refuse('an operand of rank 1')
    return [ops.matmul(call.value(0), call.value(1))]
  },
  Gemm: (call) => [gemm(call)],
  GRU: (call) =>
    call.number('linear_before_reset', 0) === 0
      ? refuse('linear_before_reset = 0; ours resets after the product, as torch.nn.GRUCell')
      : refuse('a layer, not a cell'),
}
