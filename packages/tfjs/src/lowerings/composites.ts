/** Composites that tfjs runs in one kernel with the same result. */
import { countOf } from '@fep-moe/core'
import type { Handle, Layout } from '../device/device.js'
import { always, isEmpty, onFlat, resultOf } from './empty.js'
import type { LoweringTable } from './lowering.js'

export const composites = {
  Relu: (call) => {
    if (isEmpty(resultOf(call))) return always(call)
    const kernel = call.device.kernel('Relu')
    return onFlat(call, (x) => kernel({ x }))
  },
  /** The kernel works on the last axis; another one is moved there and back. */
  Softmax: (call) => {
    const { device, attrs } = call
    const { shape } = call.inputs[0] as Layout
    if (isEmpty(resultOf(call))) return always(call)
    const softmax = device.kernel('Softmax')
    const [outer, length, inner] = [
      countOf(shape.slice(0, attrs.axis)),
      shape[attrs.axis] as number,
      countOf(shape.slice(attrs.axis + 1)),
    ]
    if (inner === 1)
      return ([x]) => [
        device.reshape(softmax({ logits: device.view(x as Handle, [outer, length]) }, { dim: 1 }), shape),
      ]
    const transpose = device.kernel('Transpose')
    return ([x]) => {
      const moved = transpose({ x: device.view(x as Handle, [outer, length, inner]) }, { perm: [0, 2, 1] })
      const rows = softmax({ logits: device.view(moved, [outer * inner, length]) }, { dim: 1 })
      const back = transpose({ x: device.view(rows, [outer, inner, length]) }, { perm: [0, 2, 1] })
      return [device.reshape(back, shape)]
    }
  },
} satisfies Partial<LoweringTable>
