/** Transpose. */
import { countOf, stridesOf } from '@fep-moe/core'
import { collapse, walkRows } from '../loops/nest.js'
import { mergePermutation } from './broadcasting.js'
import { always, isEmpty, resultOf, same } from './empty.js'
import { loopWins } from './loops-win.js'
import type { Call, Execute, Lowering } from './lowering.js'
import { inputOf, onNumbers, strided } from './moves.js'

export const transpose: Lowering<'Transpose'> = (call) => {
  const { device, attrs } = call
  if (isEmpty(resultOf(call))) return always(call)
  const { shape } = inputOf(call)
  const own = stridesOf(shape)
  if (attrs.perm.every((p, i) => p === i)) return same(call)
  if (loopWins(call))
    return strided(
      call,
      attrs.perm.map((p) => own[p] as number),
    )
  if (!device.host && resultOf(call).dtype !== 'float32') return gathered(call, attrs.perm)
  const merged = mergePermutation(device, shape, attrs.perm)
  const kernel = device.kernel('Transpose')
  if (merged.shape === shape) return onNumbers(call, (x) => kernel({ x }, { perm: attrs.perm }))
  return onNumbers(call, (x) =>
    device.reshape(kernel({ x: device.view(x, merged.shape) }, { perm: merged.perm }), resultOf(call).shape),
  )
}

/** tfjs's webgpu kernel for transpositions (4.22) takes floats only; this gathers every element from its place. */
function gathered(call: Call<'Transpose'>, perm: readonly number[]): Execute {
  const { device } = call
  const out = resultOf(call)
  const own = stridesOf(inputOf(call).shape)
  const count = countOf(out.shape)
  const places = new Int32Array(count)
  walkRows(
    collapse(out.shape, [perm.map((p) => own[p] as number), stridesOf(out.shape)]),
    [0, 0],
    ([from, to], [step], n) => {
      for (let i = 0; i < n; i++) places[(to as number) + i] = (from as number) + i * (step as number)
    },
  )
  const indices = call.constant('int32', [count], places)
  const gather = device.kernel('GatherV2')
  return onNumbers(call, (x) => {
    const moved = gather({ x: device.view(x, [1, count, 1]), indices }, { axis: 1, batchDims: 0 })
    return device.reshape(moved, out.shape)
  })
}
