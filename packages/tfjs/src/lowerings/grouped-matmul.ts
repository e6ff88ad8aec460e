/** GroupedMatMul: row ranges are data. Read where elements are in host memory, masked where they are not. */
import type { TensorData } from '@fep-moe/core'
import { type Handle, kernels, type Layout } from '../device/device.js'
import { repeater } from './broadcasting.js'
import { always, isEmpty, resultOf } from './empty.js'
import type { Call, Execute, Lowering } from './lowering.js'
import { matrix } from './matmul.js'

const PLAIN = { transposeA: false, transposeB: false }

export const groupedMatmul: Lowering<'GroupedMatMul'> = (call) => {
  const groups = ((call.inputs[2] as Layout).shape[0] as number) - 1
  if (isEmpty(resultOf(call)) || groups === 0) return always(call)
  if (call.device.host) return byRanges(call)
  return call.inputs.some(isEmpty) ? always(call) : byMasks(call)
}

/** @throws RangeError unless the offsets rise within 0..rows */
function checkOffsets(offsets: TensorData, rows: number): number[] {
  const bounds = Array.from(offsets)
  for (let e = 0; e + 1 < bounds.length; e++) {
    const [from, to] = [bounds[e] as number, bounds[e + 1] as number]
    if (from < 0 || to < from || to > rows)
      throw new RangeError(`offsets must rise within 0..${rows}; group ${e} is ${from}..${to}`)
  }
  return bounds
}

/** Reads the offsets, and takes one product per group that has rows. */
function byRanges(call: Call<'GroupedMatMul'>): Execute {
  const { device, attrs, inputs } = call
  const [x, w] = inputs as [Layout, Layout]
  const out = resultOf(call)
  const [rows, d] = matrix(x.shape)
  const h = out.shape.at(-1) as number
  const product = device.kernel('BatchMatMul')
  const rowsOf = (operand: Handle, width: number, from: number, to: number): Handle =>
    device.loop([operand], [{ dtype: 'float32', shape: [to - from, width] }], ([all], [part]) =>
      part!.set(all!.subarray(from * width, to * width) as Float32Array),
    )[0] as Handle
  return ([xs, ws, offsets]) => {
    const bounds = checkOffsets(device.read(offsets as Handle), rows)
    const parts: Handle[] = []
    const starts: number[] = []
    for (let e = 0; e + 1 < bounds.length; e++) {
      const [from, to] = [bounds[e] as number, bounds[e + 1] as number]
      // A product over nothing is zero; kernels leave such a result as they found it.
      if (to === from || d === 0) continue
      const mine = rowsOf(xs as Handle, d, from, to)
      if (attrs.mode === 'forward') {
        const weight = device.view(rowsOf(ws as Handle, h, e * d, (e + 1) * d), [1, d, h])
        parts.push(product({ a: device.view(mine, [1, to - from, d]), b: weight }, PLAIN))
        starts.push(from * h)
      } else {
        const g = device.view(rowsOf(ws as Handle, w.shape[1] as number, from, to), [1, to - from, h])
        parts.push(product({ a: turned(mine, to - from), b: g }, PLAIN))
        starts.push(e * d * h)
      }
    }
    return device.loop(parts, call.outputs, (results, [y]) => {
      y!.fill(0)
      results.forEach((part, i) => y!.set(part as Float32Array, starts[i]))
    })
  }

  /** (n, d) → (1, d, n) */
  function turned(part: Handle, n: number): Handle {
    const [moved] = device.loop([part], [{ dtype: 'float32', shape: [1, d, n] }], ([from], [to]) => {
      for (let r = 0; r < n; r++) for (let i = 0; i < d; i++) to![i * n + r] = from![r * d + i] as number
    })
    return moved as Handle
  }
}

/**
 * Without reading the offsets: every row meets every group, and what belongs to another group is replaced by zeros, not
 * multiplied by them.
 */
function byMasks(call: Call<'GroupedMatMul'>): Execute {
  const { device, attrs, inputs } = call
  const [x, w, bounds] = inputs as [Layout, Layout, Layout]
  const out = resultOf(call)
  const groups = (bounds.shape[0] as number) - 1
  const [rows, d] = matrix(x.shape)
  const width = w.shape.at(-1) as number
  const k = kernels(
    device,
    'Slice',
    'GreaterEqual',
    'Less',
    'LogicalAnd',
    'Select',
    'BatchMatMul',
    'Add',
    'Concat',
  )
  const range = Array.from({ length: rows }, (_, i) => i)
  const numbers = call.constant('int32', [rows, 1], range)
  const zero = call.constant('float32', [], [0])
  const keeper = (n: number) => {
    const [zeros, spread] = [repeater(device, [], [rows, n]), repeater(device, [rows, 1], [rows, n])]
    return (mine: Handle, t: Handle) => k.Select({ condition: spread(mine), t, e: zeros(zero) })
  }
  const [keepX, keepResult] = [keeper(d), keeper(width)]
  const cut = (t: Handle, e: number, size: readonly number[]) =>
    k.Slice({ x: t }, { begin: size.map((_, i) => (i === 0 ? e : 0)), size })
  const forward = (mine: Handle, xs: Handle, ws: Handle, e: number) => {
    const all = k.BatchMatMul({ a: device.view(xs, [1, rows, d]), b: cut(ws, e, [1, d, width]) }, PLAIN)
    return keepResult(mine, device.view(all, [rows, width]))
  }
  const weight = (mine: Handle, xs: Handle, gs: Handle) => {
    const [a, b] = [
      device.view(keepX(mine, xs), [1, rows, d]),
      device.view(keepResult(mine, gs), [1, rows, width]),
    ]
    return k.BatchMatMul({ a, b }, { transposeA: true, transposeB: false })
  }
  return ([xs, ws, offsets]) => {
    const bound = (e: number) => device.view(cut(offsets as Handle, e, [1]), [1, 1])
    const parts = Array.from({ length: groups }, (_, e) => {
      const [from, to] = [
        k.GreaterEqual({ a: numbers, b: bound(e) }),
        k.Less({ a: numbers, b: bound(e + 1) }),
      ]
      const mine = k.LogicalAnd({ a: from, b: to })
      return attrs.mode === 'forward'
        ? forward(mine, xs as Handle, ws as Handle, e)
        : weight(mine, xs as Handle, ws as Handle)
    })
    const whole =
      attrs.mode === 'forward' || parts.length === 1
        ? parts.reduce((sum, part) => k.Add({ a: sum, b: part }))
        : k.Concat(parts, { axis: 0 })
    return [device.reshape(whole, out.shape)]
  }
}
