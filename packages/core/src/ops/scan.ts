/** The general recurrence: a closed body, run once per slice. */
import { differentiate } from '../autodiff/differentiate.js'
import { extendGraph, GraphBuilder, importGraph, type Value } from '../graph/builder.js'
import { add, expand, reshape, scan } from '../graph/expressions.js'
import { formatInfo, formatShape, sameShape } from '../graph/shape.js'
import type { Dim, Graph, Shape, ValueInfo } from '../graph/types.js'
import { around } from './arrays.js'
import type { GradScope, NdArray, Primitive } from './definition.js'
import { expect } from './rules.js'

const dropAxis = (shape: Shape, axis: number): Shape => shape.filter((_, i) => i !== axis)
const insertAxis = (shape: Shape, axis: number, dim: Dim): Shape => [
  ...shape.slice(0, axis),
  dim,
  ...shape.slice(axis),
]
const infoOf = (graph: Graph, name: string): ValueInfo => graph.values[name] as ValueInfo

export const Scan: Primitive<'Scan'> = {
  spec: '(init[], xs[], consts[]) → (last[], ys[]): (states, slices, consts) ↦ (states, ys) at every step of one axis; compare ONNX Scan-21',
  arity: [1, Number.POSITIVE_INFINITY],
  infer: (inputs, { body, states, xs, axis }) => {
    expect(
      body.inputs.length === inputs.length,
      `the body takes ${body.inputs.length} values, the node has ${inputs.length}`,
    )
    expect(xs > 0, 'a Scan needs an x: it gives the number of steps')
    const steps = (inputs[states] as ValueInfo).shape[axis]
    expect(
      typeof steps === 'number',
      `axis ${axis} of x 0 ${formatShape((inputs[states] as ValueInfo).shape)} cannot be scanned`,
    )
    inputs.forEach((info, i) => {
      const inner = infoOf(body, body.inputs[i] as string)
      const isX = i >= states && i < states + xs
      if (isX)
        expect(
          info.shape[axis] === steps,
          `x ${i - states} has ${info.shape[axis]} steps on axis ${axis}, x 0 has ${steps}`,
        )
      const seen = isX ? dropAxis(info.shape, axis) : info.shape
      expect(
        inner.dtype === info.dtype && sameShape(inner.shape, seen),
        `body input '${body.inputs[i]}' is ${formatInfo(inner)}, the node feeds ${info.dtype}${formatShape(seen)}`,
      )
    })
    return body.outputs.map(({ name, value }, i) => {
      const inner = infoOf(body, value)
      if (i >= states) {
        expect(
          inner.shape.length >= axis,
          `body output '${name}' is ${formatInfo(inner)}; it cannot hold axis ${axis}`,
        )
        return { dtype: inner.dtype, shape: insertAxis(inner.shape, axis, steps) }
      }
      const init = inputs[i] as ValueInfo
      expect(
        inner.dtype === init.dtype && sameShape(inner.shape, init.shape),
        `body output '${name}' is ${formatInfo(inner)}, its state is ${formatInfo(init)}`,
      )
      return inner
    })
  },
  grad: (scope) => scanGradient(scope),
  eval: (inputs, { body, states, xs, axis, reverse }, infos, scope) => {
    const steps = (inputs[states] as NdArray).shape[axis] as number
    let carried = inputs.slice(0, states) as NdArray[]
    const consts = inputs.slice(states + xs) as NdArray[]
    const ys = infos.slice(states).map((info) => scope.make(info.dtype, info.shape))
    for (let k = 0; k < steps; k++) {
      const t = reverse ? steps - 1 - k : k
      const slices = inputs
        .slice(states, states + xs)
        .map((x) => readSlice(x as NdArray, axis, t, scope.make))
      const results = scope.call(body, [...carried, ...slices, ...consts])
      carried = results.slice(0, states)
      results.slice(states).forEach((y, i) => writeSlice(ys[i] as NdArray, axis, t, y))
    }
    return [...carried, ...ys]
  },
  // A body's cost needs the cost table; `graphCost` multiplies it by the steps.
  flops: () => 0,
}

function readSlice(
  x: NdArray,
  axis: number,
  t: number,
  make: (dtype: NdArray['dtype'], shape: readonly number[]) => NdArray,
): NdArray {
  const { outer, length, inner } = around(x.shape, axis)
  const out = make(x.dtype, dropAxis(x.shape, axis) as number[])
  for (let o = 0; o < outer; o++) {
    const start = (o * length + t) * inner
    out.data.set(x.data.subarray(start, start + inner) as Float32Array, o * inner)
  }
  return out
}

function writeSlice(y: NdArray, axis: number, t: number, from: NdArray): void {
  const { outer, length, inner } = around(y.shape, axis)
  for (let o = 0; o < outer; o++)
    y.data.set(from.data.subarray(o * inner, (o + 1) * inner) as Float32Array, (o * length + t) * inner)
}

/** A shape that can hold the scanned axis: a state of lower rank (a counter, say) gets leading ones. */
const holding = (shape: Shape, axis: number): Shape => [
  ...new Array<Dim>(Math.max(axis - shape.length, 0)).fill(1),
  ...shape,
]

/** A copy of a body that also returns its incoming states. */
function savingStates(body: Graph, states: number, axis: number): Graph {
  const { builder, values } = extendGraph(body)
  for (const name of body.inputs.slice(0, states)) {
    const state = values.get(name) as Value
    builder.output(`saved/${name}`, reshape(state, holding(state.shape, axis)))
  }
  return builder.build()
}

/**
 * One reversed Scan. The forward node is extended to return the state it entered each step with; the backward body
 * recomputes the forward body from it. Memory is steps × state. Gradients of consts are carried accumulators, which sum
 * over rows: a backward Scan that has any makes no row-wise promise.
 */
function scanGradient({
  attrs,
  inputs,
  outputs,
  grads,
  wants,
  extend,
}: GradScope<'Scan'>): (Value | undefined)[] {
  const { body, states, xs, axis, reverse, batchAxis } = attrs
  const isFloat = (v: Value) => v.dtype === 'float32'
  const steps = (inputs[states] as Value).shape[axis] as number
  const saved = extend(
    { ...attrs, body: savingStates(body, states, axis) },
    inputs
      .slice(0, states)
      .map(({ dtype, shape }) => ({ dtype, shape: insertAxis(holding(shape, axis), axis, steps) })),
  )
  const stateAt = inputs.slice(0, states).flatMap((v, i) => (isFloat(v) ? [i] : []))
  const constAt = inputs.flatMap((v, i) => (i >= states + xs && wants[i] && isFloat(v) ? [i] : []))
  const xAt = inputs.flatMap((v, i) => (i >= states && i < states + xs && wants[i] && isFloat(v) ? [i] : []))
  const keepsRows = constAt.length === 0 && inputs.slice(0, states).every((v) => v.shape.length >= axis)
  const yAt = body.outputs.flatMap((_, i) => (i >= states && grads[i] ? [i] : []))

  const back = new GraphBuilder(`${body.name}/gradient`, { expandComposites: true })
  const declare = (name: string, info: ValueInfo) => back.input(name, info.dtype, info.shape)
  const name = (i: number) => body.inputs[i] as string
  const adjoints = stateAt.map((i) => declare(`adjoint/${name(i)}`, inputs[i] as Value))
  const totals = constAt.map((i) => declare(`total/${name(i)}`, inputs[i] as Value))
  const bindings: Record<string, Value> = {}
  for (let i = 0; i < states; i++) {
    const { dtype, shape } = inputs[i] as Value
    bindings[name(i)] = reshape(declare(`saved/${name(i)}`, { dtype, shape: holding(shape, axis) }), shape)
  }
  for (let i = states; i < states + xs; i++)
    bindings[name(i)] = declare(`slice/${name(i)}`, infoOf(body, name(i)))
  const yGrads = yAt.map((i) =>
    declare(
      `adjoint/${(body.outputs[i] as { name: string }).name}`,
      infoOf(body, (body.outputs[i] as { value: string }).value),
    ),
  )
  for (let i = states + xs; i < inputs.length; i++)
    bindings[name(i)] = declare(`const/${name(i)}`, inputs[i] as Value)

  const values = importGraph(back, body, bindings)
  const result = (i: number) => values.get((body.outputs[i] as { value: string }).value) as Value
  const seeds = [
    ...stateAt.map((i, j) => [result(i), adjoints[j] as Value] as const),
    ...yAt.map((i, j) => [result(i), yGrads[j] as Value] as const),
  ]
  const sources = [...stateAt, ...constAt, ...xAt].map((i) => bindings[name(i)] as Value)
  const partials = differentiate(seeds, sources)
  stateAt.forEach((i, j) => back.output(`adjoint/${name(i)}`, partials[j] as Value))
  constAt.forEach((i, j) =>
    back.output(`total/${name(i)}`, add(totals[j] as Value, partials[stateAt.length + j] as Value)),
  )
  xAt.forEach((i, j) =>
    back.output(`gradient/${name(i)}`, partials[stateAt.length + constAt.length + j] as Value),
  )

  const zerosLike = (v: Value) => expand(v.builder.constant(0), v.shape)
  const { last, ys } = scan(
    back.build(),
    {
      init: [
        ...stateAt.map((i) => grads[i] ?? zerosLike(outputs[i] as Value)),
        ...constAt.map((i) => zerosLike(inputs[i] as Value)),
      ],
      xs: [...saved, ...inputs.slice(states, states + xs), ...yAt.map((i) => grads[i] as Value)],
      consts: inputs.slice(states + xs),
    },
    { axis, reverse: !reverse, batchAxis: keepsRows ? batchAxis : null },
  )
  const found = new Map<number, Value>()
  stateAt.forEach((i, j) => found.set(i, last[j] as Value))
  constAt.forEach((i, j) => found.set(i, last[stateAt.length + j] as Value))
  xAt.forEach((i, j) => found.set(i, ys[j] as Value))
  return inputs.map((_, i) => found.get(i))
}
