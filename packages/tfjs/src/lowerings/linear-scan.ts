/** LinearScan: a recurrence over host memory, or doubling steps of kernels. */
import { stridesOf } from '@fep-moe/core'
import { type Handle, kernels, type Layout } from '../device/device.js'
import { broadcastStrides, collapse } from '../loops/nest.js'
import { runRecurrence } from '../loops/reduce.js'
import { repeater } from './broadcasting.js'
import { always, isEmpty } from './empty.js'
import type { Call, Execute, Lowering } from './lowering.js'

export const linearScan: Lowering<'LinearScan'> = (call) => {
  const { device, attrs, inputs, outputs } = call
  const [, b, h0] = inputs as [Layout, Layout, Layout]
  const [h, last] = outputs as [Layout, Layout]
  if (isEmpty(last)) {
    const nothing = [h, last].map((layout) => always(call, 0, layout))
    return () => nothing.map((make) => make([])[0] as Handle)
  }
  if ((b.shape[attrs.axis] as number) === 0) {
    const none = always(call, 0, h)
    const repeat = repeater(device, h0.shape, last.shape)
    return ([, , start]) => [none([])[0] as Handle, device.reshape(repeat(start as Handle), last.shape)]
  }
  return device.host ? byLoop(call) : byDoubling(call)
}

/** h_t = a_t h_{t−1} + b_t, one step after the other, in the order of time. */
function byLoop({ device, attrs, inputs, outputs }: Call<'LinearScan'>): Execute {
  const { axis, reverse } = attrs
  const [a, b, h0] = inputs as [Layout, Layout, Layout]
  const lanes = (outputs[1] as Layout).shape
  const [aStrides, bStrides] = [broadcastStrides(a.shape, b.shape), stridesOf(b.shape)]
  const nest = collapse(lanes, [aStrides, bStrides, broadcastStrides(h0.shape, lanes), stridesOf(lanes)])
  const time = {
    steps: b.shape[axis] as number,
    aStep: aStrides[axis] as number,
    bStep: bStrides[axis] as number,
    reverse,
  }
  return (operands) =>
    device.loop(operands, outputs, ([x, y, z], [h, last]) =>
      runRecurrence(nest, time, [x!, y!, z!], [h!, last!]),
    )
}

/**
 * After pass k every h_t covers 2^k steps: h_t += p_t h_{t−2^k}, p_t *= p_{t−2^k}. Few large kernels instead of many
 * small ones. The initial state joins b at the first step.
 */
function byDoubling(call: Call<'LinearScan'>): Execute {
  const { device, attrs, inputs, outputs } = call
  const { axis, reverse } = attrs
  const [a, b, h0] = inputs as [Layout, Layout, Layout]
  const [h, last] = outputs as [Layout, Layout]
  const steps = b.shape[axis] as number
  const k = kernels(device, 'Slice', 'PadV2', 'Multiply', 'Add')
  // Three axes hold everything: what is before time, time, what is after.
  const outer = b.shape.slice(0, axis).reduce((n, d) => n * d, 1)
  const inner = b.shape.slice(axis + 1).reduce((n, d) => n * d, 1)
  const whole = [outer, steps, inner]
  const [spreadA, spreadStart] = [repeater(device, a.shape, b.shape), repeater(device, h0.shape, last.shape)]
  const cut = (x: Handle, from: number, count: number) =>
    k.Slice({ x }, { begin: [0, from, 0], size: [outer, count, inner] })
  const fill = (x: Handle, before: number, after: number) =>
    before + after === 0
      ? x
      : k.PadV2(
          { x },
          {
            paddings: [
              [0, 0],
              [before, after],
              [0, 0],
            ],
            constantValue: 0,
          },
        )
  /** x as it was `by` steps ago, 0 where nothing was. */
  const delayed = (x: Handle, by: number) =>
    reverse ? fill(cut(x, by, steps - by), 0, by) : fill(cut(x, 0, steps - by), by, 0)
  const first = reverse ? steps - 1 : 0
  return ([x, y, z]) => {
    let powers = device.view(spreadA(x as Handle), whole)
    const start = device.view(spreadStart(z as Handle), [outer, 1, inner])
    const entering = k.Multiply({ a: cut(powers, first, 1), b: start })
    let states = k.Add({
      a: device.view(y as Handle, whole),
      b: fill(entering, first, steps - 1 - first),
    })
    for (let by = 1; by < steps; by *= 2) {
      states = k.Add({ a: states, b: k.Multiply({ a: powers, b: delayed(states, by) }) })
      if (2 * by < steps) powers = k.Multiply({ a: powers, b: delayed(powers, by) })
    }
    return [
      device.reshape(states, h.shape),
      device.reshape(cut(states, reverse ? 0 : steps - 1, 1), last.shape),
    ]
  }
}
