/** What operators on indices share: indices counted from the start, elements picked or added up by place. */
import { countOf, type TensorData } from '@fep-moe/core'
import { type Handle, kernels, type Layout } from '../device/device.js'
import { resolveIndex } from '../loops/indexing.js'
import { repeater } from './broadcasting.js'
import { converter } from './convert.js'
import type { Call } from './lowering.js'
import { around } from './reduce.js'

/** 0 … n − 1 */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/**
 * Indices counted from the start. On a host device they are checked, too: kernels differ in what they do out of range,
 * and some read whatever is there.
 */
export function fromStart(
  call: Call<'Gather' | 'GatherElements' | 'ScatterND' | 'ScatterElements'>,
  length: number,
) {
  const { device } = call
  const layout = call.inputs[1] as Layout
  if (device.host) {
    const resolve = (indices: TensorData) => {
      let negative = false
      for (let i = 0; i < indices.length; i++)
        if (resolveIndex(indices[i] as number, length) !== indices[i]) negative = true
      return negative
    }
    return (indices: Handle): Handle => {
      if (!resolve(device.read(indices))) return indices
      const [resolved] = device.loop([indices], [layout], ([from], [to]) => {
        for (let i = 0; i < to!.length; i++) to![i] = resolveIndex(from![i] as number, length)
      })
      return resolved as Handle
    }
  }
  const k = kernels(device, 'Less', 'Select', 'Add')
  const [zero, total] = [0, length].map((n) => call.constant('int32', [], [n])) as [Handle, Handle]
  return (indices: Handle): Handle =>
    k.Select({
      condition: k.Less({ a: indices, b: zero }),
      t: k.Add({ a: indices, b: total }),
      e: indices,
    })
}

/** Picks elements by their place along an axis: a gather from the flat operand. */
export function pickerAt(
  call: Call<'GatherElements' | 'TopK'>,
  picks: number,
): (x: Handle, at: Handle) => Handle {
  const { device, attrs } = call
  const { shape, dtype } = call.inputs[0] as Layout
  const { outer, length, inner } = around(shape, attrs.axis)
  const k = kernels(device, 'GatherV2', 'Multiply', 'Add')
  const step = call.constant('int32', [], [inner])
  const starts = range(outer * inner).map((n) => Math.floor(n / inner) * length * inner + (n % inner))
  const origins = call.constant('int32', [outer, 1, inner], starts)
  const numbers = dtype === 'bool' ? 'int32' : dtype
  const [toNumbers, back] = [converter(call, dtype, numbers), converter(call, numbers, dtype)]
  return (x, at) => {
    const lanes = device.view(at, [outer, picks, inner])
    const places = k.Add({ a: k.Multiply({ a: lanes, b: step }), b: origins })
    const flat = device.view(places, [outer * picks * inner])
    const all = device.view(toNumbers(x), [1, countOf(shape), 1])
    return back(k.GatherV2({ x: all, indices: flat }, { axis: 1, batchDims: 0 }))
  }
}

/** Sums, along an axis, the floats that a mask selects: nothing else enters, so nothing else can spoil the sum. */
export function selectedSum(
  call: Pick<Call<never>, 'device' | 'constant'>,
  full: readonly number[],
  axis: number,
) {
  const { device } = call
  const k = kernels(device, 'Select', 'Sum')
  const zero = call.constant('float32', [], [0])
  const zeros = repeater(device, [], full)
  return (condition: Handle, values: Handle): Handle =>
    k.Sum({ x: k.Select({ condition, t: values, e: zeros(zero) }) }, { axis: [axis], keepDims: false })
}
