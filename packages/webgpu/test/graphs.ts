/** Graphs that several tests compile, and how they are compiled without the backend around them. */
import {
  bindBatch,
  createGate,
  type DType,
  expandComposites,
  type Graph,
  GraphBuilder,
  ops,
  type Shape,
  type Tensor,
  type Value,
} from '@fep-moe/core'
import { claimedComposites } from '../src/lowerings/table.js'

type Values = Readonly<Record<string, Value>>

/** Builds a graph; inputs are float32 unless they say otherwise. */
export function graphOf<const I extends Readonly<Record<string, Shape | { dtype: DType; shape: Shape }>>>(
  name: string,
  inputs: I,
  body: (values: { readonly [K in keyof I]: Value }) => Values,
): Graph {
  const builder = new GraphBuilder(name)
  const values = Object.entries(inputs).map(([key, type]) => {
    const { dtype, shape } = 'dtype' in type ? type : { dtype: 'float32' as const, shape: type as Shape }
    return [key, builder.input(key, dtype, shape)]
  })
  const results = body(Object.fromEntries(values) as { readonly [K in keyof I]: Value })
  for (const [key, value] of Object.entries(results)) builder.output(key, value)
  return builder.build()
}

/** What a backend's `compile` is given. */
export const lowered = (graph: Graph, batch = 1): Graph =>
  bindBatch(
    expandComposites(graph, (op) => claimedComposites.some((claimed) => claimed === op)),
    batch,
  )

/** Repeatable numbers in −1..1. */
export const wave = (shape: readonly number[], shift = 0): Tensor<Float32Array> => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => Math.sin(i + 1 + shift)),
})

/** A leaky integrator with a soft cap. @param batchAxis null: nothing is promised about rows */
export function capped(batch: number, steps: number, batchAxis: number | null): Graph {
  const body = graphOf('step', { u: [batch, 2], x: [batch, 2], leak: [2] }, ({ u, x, leak }) => {
    const next = ops.min(ops.add(ops.mul(u, leak), x), 1)
    return { u: next, y: ops.softmax(next) }
  })
  return graphOf('capped', { u: [batch, 2], xs: [batch, steps, 2], leak: [2] }, ({ u, xs, leak }) => {
    const { last, ys } = ops.scan(body, { init: [u], xs: [xs], consts: [leak] }, { axis: 1, batchAxis })
    return { last: last[0] as Value, ys: ys[0] as Value }
  })
}

/** A state that a matrix multiplies at every step: (batch, d) x (d, d), which is a lot of work where d is. */
export function rotating(batch: number, d: number, steps: number): Graph {
  const body = graphOf('step', { h: [batch, d], x: [batch, d], w: [d, d] }, ({ h, x, w }) => {
    const next = ops.tanh(ops.add(ops.matmul(h, w), x))
    return { h: next, total: ops.sum(next, 0) }
  })
  return graphOf('rotating', { h: [batch, d], xs: [steps, batch, d], w: [d, d] }, ({ h, xs, w }) => {
    const { last, ys } = ops.scan(body, { init: [h], xs: [xs], consts: [w] }, { axis: 0 })
    return { last: last[0] as Value, ys: ys[0] as Value }
  })
}

/** A recurrence with a decay per step. */
export const leaky = (lanes: number, steps: number): Graph =>
  graphOf('leaky', { a: [1, steps], b: [lanes, steps], h0: [lanes, 1] }, ({ a, b, h0 }) => {
    const { h, last } = ops.linearScan(ops.sigmoid(a), ops.mul(b, 0.5), h0, { axis: 1 })
    return { h, last }
  })

/** A gate that has most mechanisms. */
export const gate = createGate({
  dim: 16,
  experts: 4,
  memory: { kind: 'leaky' },
  anticipation: { kind: 'additive', width: 8 },
  select: { kind: 'top-k', k: 2 },
})
