/** Scan: the body once per slice. What a step leaves behind is freed before the next one begins, so memory is flat. */
import { type Device, type Handle, kernels, type Layout } from '../device/device.js'
import { runCopy } from '../loops/copy.js'
import { always, isEmpty } from './empty.js'
import type { Call, Lowering } from './lowering.js'
import { around } from './reduce.js'

/** An x, prepared once per run, as a function of the step. */
type Slices = (x: Handle) => (t: number) => Handle
/** All slices of a y, in order, as one. */
type Join = (slices: readonly Handle[]) => Handle

export const scan: Lowering<'Scan'> = (call) => {
  const { attrs, inputs, outputs, device, used } = call
  const { states, xs, axis, reverse } = attrs
  const steps = (inputs[states] as Layout).shape[axis] as number
  const body = call.body(attrs.body)
  const cuts = inputs.slice(states, states + xs).map((x) => slicesOf(call, x))
  const joins = outputs.slice(states).map((y, i) => (used[states + i] ? joinOf(call, y, steps) : undefined))

  const walk = (operands: readonly Handle[], owned: Set<Handle>): (Handle | undefined)[] => {
    const consts = operands.slice(states + xs)
    const readers = cuts.map((cut, i) => cut(operands[states + i] as Handle))
    const ys: Handle[][] = joins.map(() => [])
    let carried = operands.slice(0, states)
    for (let step = 0; step < steps; step++) {
      const t = reverse ? steps - 1 - step : step
      const mark = device.mark()
      const results = body([...carried, ...readers.map((read) => read(t)), ...consts])
      for (const result of results) owned.add(result)
      device.sweep(mark, [])
      const drop = (x: Handle) => {
        if (owned.delete(x)) device.release(x)
      }
      carried.forEach(drop)
      carried = results.slice(0, states)
      results.slice(states).forEach((y, i) => {
        if (joins[i]) (ys[i] as Handle[])[t] = y
        else drop(y)
      })
    }
    const last = steps === 0 ? carried.map((x) => device.reshape(x, x.shape)) : carried
    const joined = joins.map((join, i) => join?.(ys[i] as Handle[]))
    for (const slice of ys.flat()) if (owned.delete(slice)) device.release(slice)
    return [...last, ...joined]
  }
  return (operands) => {
    const owned = new Set<Handle>()
    try {
      return walk(operands, owned)
    } catch (error) {
      for (const x of owned) device.release(x)
      throw error
    }
  }
}

/** Kernels that move elements are for floats; see `inPlace`. */
const loops = (device: Device, { dtype }: Layout): boolean =>
  device.inPlace || (device.host && dtype !== 'float32')

function slicesOf(call: Call<'Scan'>, x: Layout): Slices {
  const { device, attrs } = call
  const { outer, length, inner } = around(x.shape, attrs.axis)
  const shape = x.shape.filter((_, i) => i !== attrs.axis)
  const layout: Layout = { dtype: x.dtype, shape }
  if (isEmpty(layout)) {
    const nothing = always(call, 0, layout)
    return () => () => nothing([])[0] as Handle
  }
  if (loops(device, x)) {
    const nest = {
      sizes: [outer, inner],
      strides: [
        [length * inner, 1],
        [inner, 1],
      ],
    }
    return (all) => (t) =>
      device.loop([all], [layout], ([from], [to]) => runCopy(nest, from!, to!, t * inner))[0] as Handle
  }
  const k = kernels(device, 'Slice')
  return (all) => {
    const lanes = device.view(all, [outer, length, inner])
    return (t) => device.reshape(k.Slice({ x: lanes }, { begin: [0, t, 0], size: [outer, 1, inner] }), shape)
  }
}

function joinOf(call: Call<'Scan'>, y: Layout, steps: number): Join {
  const { device, attrs } = call
  if (isEmpty(y)) {
    const nothing = always(call, 0, y)
    return () => nothing([])[0] as Handle
  }
  const { outer, inner } = around(y.shape, attrs.axis)
  if (loops(device, y)) {
    const nest = {
      sizes: [outer, inner],
      strides: [
        [inner, 1],
        [steps * inner, 1],
      ],
    }
    return (slices) =>
      device.loop(slices, [y], (parts, [all]) => {
        parts.forEach((part, t) => runCopy(nest, part, all!, 0, t * inner))
      })[0] as Handle
  }
  const concat = device.kernel('Concat')
  return (slices) => {
    const parts = slices.map((slice) => device.view(slice, [outer, inner]))
    return device.reshape(parts.length === 1 ? (parts[0] as Handle) : concat(parts, { axis: 1 }), y.shape)
  }
}
