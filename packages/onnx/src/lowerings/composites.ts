/**
 * Composites that ONNX Runtime runs in one kernel with the same result. Where its kernel is slower than the definition,
 * or does not cover the shape, the definition is emitted instead.
 */
import { sameShape, type ValueInfo } from '@fep-moe/core'
import type { Call, LoweringTable } from '../emit/lowering.js'
import type { GraphWriter } from '../emit/writer.js'

/** Softmax kernels work on the last axis; elsewhere they transpose twice, and the definition is faster. */
function softmax(
  type: 'Softmax' | 'LogSoftmax',
  call: Call<'Softmax' | 'LogSoftmax'>,
  w: GraphWriter,
): readonly string[] {
  const { shape } = call.inputInfos[0] as ValueInfo
  if (call.attrs.axis !== shape.length - 1) return call.expand(w)
  return [w.op(type, call.inputs, { axis: call.attrs.axis }, call.outputs[0])]
}

export const composites = {
  Relu: ({ inputs, outputs }, w) => [w.op('Relu', inputs, {}, outputs[0])],
  Gelu: ({ inputs, outputs }, w) => [w.op('Gelu', inputs, { approximate: 'none' }, outputs[0])],
  Softplus: ({ inputs, outputs }, w) => [w.op('Softplus', inputs, {}, outputs[0])],
  Clip: ({ inputs, outputs, attrs }, w) => [
    w.op('Clip', [...inputs, w.scalar(attrs.min), w.scalar(attrs.max)], {}, outputs[0]),
  ],
  Softmax: (call, w) => softmax('Softmax', call, w),
  LogSoftmax: (call, w) => softmax('LogSoftmax', call, w),
  LayerNorm: (call, w) => {
    const [x, weight, bias] = call.inputInfos as [ValueInfo, ValueInfo, ValueInfo]
    const row = x.shape.slice(-1)
    const covered =
      call.attrs.axis === x.shape.length - 1 && sameShape(weight.shape, row) && sameShape(bias.shape, row)
    if (!covered) return call.expand(w)
    return [
      w.op(
        'LayerNormalization',
        call.inputs,
        { axis: -1, epsilon: { float: call.attrs.epsilon } },
        call.outputs[0],
      ),
    ]
  },
} satisfies Partial<LoweringTable>
