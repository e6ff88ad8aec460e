/** Scan: an ONNX Scan whose body reads constants from the graph around it; unrolled where short. */
import type { Graph, Shape, ValueInfo } from '@fep-moe/core'
import type { Call, Lowering } from '../emit/lowering.js'
import { valueInfo } from '../emit/protobuf.js'
import { GraphWriter } from '../emit/writer.js'
import { expandTo, reshapeTo } from './layout.js'

/** Longest Scan that is unrolled. */
const UNROLL_STEPS = 16
/** Most nodes that unrolling may make: creating a session takes about 0.2 ms for each. */
const UNROLL_NODES = 1024

const dropAxis = (shape: Shape, axis: number): Shape => shape.filter((_, i) => i !== axis)
const bodyOutput = (body: Graph, i: number): ValueInfo =>
  body.values[(body.outputs[i] as { value: string }).value] as ValueInfo

export const scan: Lowering<'Scan'> = (call, w) => {
  const { states, axis } = call.attrs
  const steps = (call.inputInfos[states] as ValueInfo).shape[axis] as number
  const short = steps <= UNROLL_STEPS && steps * call.attrs.body.nodes.length <= UNROLL_NODES
  // ONNX Runtime 1.30 ends the process on a Scan over values without elements.
  const empty = call.inputInfos.some(({ shape }) => shape.includes(0))
  return short || empty ? unrolled(call, w, steps) : looped(call, w)
}

function unrolled(call: Call<'Scan'>, w: GraphWriter, steps: number): readonly string[] {
  const { body, states, xs, axis, reverse } = call.attrs
  let carried = call.inputs.slice(0, states)
  const consts = call.inputs.slice(states + xs)
  const slices: string[][] = body.outputs.slice(states).map(() => [])
  for (let k = 0; k < steps; k++) {
    const t = reverse ? steps - 1 - k : k
    const at = w.constant('int64', [t], [])
    const inputs = call.inputs.slice(states, states + xs).map((x) => w.op('Gather', [x, at], { axis }))
    const results = call.inline(body, [...carried, ...inputs, ...consts], w, `${w.at}/t${t}`)
    carried = results.slice(0, states)
    results.slice(states).forEach((y, i) => {
      const { shape } = bodyOutput(body, states + i)
      const slice = reshapeTo(w, y, [...shape.slice(0, axis), 1, ...shape.slice(axis)])
      const all = slices[i] as string[]
      if (reverse) all.unshift(slice)
      else all.push(slice)
    })
  }
  const ys = slices.map((parts, i) => {
    if (!call.used[states + i]) return ''
    const info = call.outputInfos[states + i] as ValueInfo
    if (parts.length === 0)
      return expandTo(w, w.constant(info.dtype, [0], []), info.shape, call.outputs[states + i])
    return parts.length === 1
      ? (parts[0] as string)
      : w.op('Concat', parts, { axis }, call.outputs[states + i])
  })
  return [...carried, ...ys]
}

function looped(call: Call<'Scan'>, w: GraphWriter): readonly string[] {
  const { body, states, xs, axis, reverse } = call.attrs
  const inner = new GraphWriter(w.model, w)
  const prefix = `${w.at}/body`
  const feeds = body.inputs.slice(0, states + xs).map((name) => w.model.names.unique(`${prefix}/${name}`))
  const results = call.inline(body, [...feeds, ...call.inputs.slice(states + xs)], inner, prefix)

  // A body's results must be its own values, each named once: what is a feed, a capture or a repetition is copied. Ys
  // that nothing reads are left out: each would be a copy of every step.
  const own = new Set<string>()
  const kept = results.flatMap((_, i) => (i < states || call.used[i] ? [i] : []))
  const outputs = kept.map((i) => {
    const name = results[i] as string
    const fresh = inner.owns(name) && !own.has(name) ? name : inner.op('Identity', [name])
    own.add(fresh)
    return valueInfo(fresh, bodyOutput(body, i))
  })
  const feedInfos = feeds.map((name, i) => {
    const { dtype, shape } = call.inputInfos[i] as ValueInfo
    return valueInfo(name, { dtype, shape: i < states ? shape : dropAxis(shape, axis) })
  })
  const ys = kept.length - states
  const direction = reverse ? 1 : 0
  w.ops(
    'Scan',
    call.inputs.slice(0, states + xs),
    {
      body: { graph: inner.finish(body.name, feedInfos, outputs) },
      num_scan_inputs: xs,
      scan_input_axes: new Array<number>(xs).fill(axis),
      scan_input_directions: new Array<number>(xs).fill(direction),
      scan_output_axes: new Array<number>(ys).fill(axis),
      scan_output_directions: new Array<number>(ys).fill(direction),
    },
    kept.map((i) => call.outputs[i] as string),
    w.at,
  )
  return call.outputs
}
