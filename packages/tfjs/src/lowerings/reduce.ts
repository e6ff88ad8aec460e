/** Reductions and running sums. */
import { countOf, stridesOf } from '@fep-moe/core'
import type { Handle, Layout } from '../device/device.js'
import { collapse, type Nest } from '../loops/nest.js'
import { type Around, runCumSum, runMax, runSum } from '../loops/reduce.js'
import { mergePermutation } from './broadcasting.js'
import { converter } from './convert.js'
import { always, isEmpty, resultOf, same } from './empty.js'
import { loopWins } from './loops-win.js'
import type { Call, Execute, Lowering, LoweringTable } from './lowering.js'

/** Sizes before, along and after an axis. */
export const around = (shape: readonly number[], axis: number): Around => ({
  outer: countOf(shape.slice(0, axis)),
  length: shape[axis] ?? 1,
  inner: countOf(shape.slice(axis + 1)),
})

/** The operand and, with stride 0 along what is reduced, the result. */
function reductionNest(shape: readonly number[], axes: readonly number[]): Nest {
  const kept = stridesOf(shape.map((d, i) => (axes.includes(i) ? 1 : d)))
  return collapse(shape, [stridesOf(shape), kept.map((s, i) => (axes.includes(i) ? 0 : s))])
}

function reduction<O extends 'ReduceSum' | 'ReduceMax'>(op: O): Lowering<O> {
  const sums = op === 'ReduceSum'
  return (call) => {
    const { device, attrs, inputs } = call
    const { shape, dtype } = inputs[0] as Layout
    if (isEmpty(resultOf(call))) return always(call)
    if (isEmpty(inputs[0] as Layout))
      return always(call, sums || dtype === 'int32' ? 0 : Number.NEGATIVE_INFINITY)
    if (attrs.axes.every((axis) => shape[axis] === 1)) return same(call)
    if (loopWins(call)) {
      const nest = reductionNest(shape, attrs.axes)
      const body = sums ? runSum : runMax
      return (operands) => device.loop(operands, call.outputs, ([x], [y]) => body(nest, x!, y!))
    }
    return byKernel(call, sums)
  }
}

/** tfjs's webgpu kernels for sums (4.22) write float bits for integers. In floats, sums are exact up to 2²⁴. */
function throughFloats(
  call: Call<'ReduceSum' | 'ReduceMax' | 'CumSum'>,
  run: (x: Handle, axis: number) => Handle,
): (x: Handle, axis: number) => Handle {
  if (call.device.host || call.inputs[0]?.dtype === 'float32') return run
  const [toFloat, toInt] = [converter(call, 'int32', 'float32'), converter(call, 'float32', 'int32')]
  return (x, axis) => toInt(run(toFloat(x), axis))
}

/** As a matrix whose columns are reduced, where the reduced axes are not neighbors after a transpose. */
function byKernel(call: Call<'ReduceSum' | 'ReduceMax'>, sums: boolean): Execute {
  const { device, attrs } = call
  const { shape } = call.inputs[0] as Layout
  const kernel = device.kernel(sums ? 'Sum' : 'Max')
  const reduce = throughFloats(call, (x, axis) =>
    kernel({ x }, { [sums ? 'axis' : 'reductionIndices']: [axis], keepDims: false }),
  )
  const [first, last] = [attrs.axes[0] as number, attrs.axes.at(-1) as number]
  if (last - first === attrs.axes.length - 1) {
    const { outer, inner } = { ...around(shape, first), inner: countOf(shape.slice(last + 1)) }
    const length = countOf(shape.slice(first, last + 1))
    return ([x]) => [
      device.reshape(reduce(device.view(x as Handle, [outer, length, inner]), 1), resultOf(call).shape),
    ]
  }
  const kept = shape.map((_, i) => i).filter((i) => !attrs.axes.includes(i))
  const { shape: seen, perm } = mergePermutation(device, shape, [...kept, ...attrs.axes])
  const transpose = device.kernel('Transpose')
  const rows = countOf(kept.map((i) => shape[i] as number))
  return ([x]) => {
    const moved = transpose({ x: device.view(x as Handle, seen) }, { perm })
    const total = reduce(device.view(moved, [rows, countOf(shape) / rows]), 1)
    return [device.reshape(total, resultOf(call).shape)]
  }
}

export const reduce = {
  ReduceSum: reduction('ReduceSum'),
  ReduceMax: reduction('ReduceMax'),
  CumSum: (call) => {
    const { device, attrs } = call
    const { shape } = resultOf(call)
    if (isEmpty(resultOf(call))) return always(call)
    const sizes = around(shape, attrs.axis)
    if (loopWins(call))
      return (operands) => device.loop(operands, call.outputs, ([x], [y]) => runCumSum(sizes, attrs, x!, y!))
    const kernel = device.kernel('Cumsum')
    const { exclusive, reverse } = attrs
    const flip = device.host || !reverse ? undefined : device.kernel('Reverse')
    const run = throughFloats(call, (x, axis) => {
      // tfjs's webgpu kernel (4.22) sums in reverse up to the wrong end.
      const ahead = flip ? flip({ x }, { dims: [axis] }) : x
      const sums = kernel({ x: ahead }, { axis, exclusive, reverse: reverse && !flip })
      return flip ? flip({ x: sums }, { dims: [axis] }) : sums
    })
    return ([x]) => {
      const lanes = device.view(x as Handle, [sizes.outer, sizes.length, sizes.inner])
      return [device.reshape(run(lanes, 1), shape)]
    }
  },
} satisfies Partial<LoweringTable>
