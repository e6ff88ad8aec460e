/**
 * Gradient cases: the vector-Jacobian product of a small graph. What autodiff gives in float64 on the reference is first
 * held against finite differences of the forward graph, then the backend against it.
 */
import {
  bindBatch,
  evaluateGraph,
  expandComposites,
  extent,
  type Graph,
  type OpName,
  type Precision,
  type Shape,
  type Tensor,
  type Value,
  type ValueInfo,
  vjpGraph,
} from '@fep-moe/core'
import { graphOf, typesOf, type Values } from '../frame/build.js'
import type { GraphCase, GraphRun, Tolerance } from '../frame/case.js'
import { noise } from '../frame/data.js'
import { check } from '../frame/failure.js'
import { gapTolerance } from '../frame/gap.js'

type Feeds = Readonly<Record<string, Tensor>>

/** Something to differentiate. */
export interface GradientExample {
  readonly id: string
  readonly feeds: Feeds
  readonly wrt: readonly string[]
  readonly body: (values: Values) => Values
  readonly shapes: Readonly<Record<string, Shape>>
  /** Gradients by hand for a cotangent of ones, where the function has a kink and differences cannot tell. */
  readonly byHand?: Feeds
}

/** Examples for every operator of a family; `discrete` where no gradient exists, by definition. */
export type GradientsOf<O extends OpName> = {
  readonly [K in O]: readonly [GradientExample, ...GradientExample[]] | 'discrete'
}

/** Writes an example down; the function must be smooth within 0.01 of the feeds. */
export function smooth<F extends Feeds>(
  id: string,
  feeds: F,
  body: (values: { readonly [K in keyof F]: Value }) => Values,
  options: {
    readonly wrt?: readonly (keyof F & string)[]
    readonly shapes?: Readonly<Record<string, Shape>>
  } = {},
): GradientExample {
  const wrt = options.wrt ?? Object.keys(feeds).filter((name) => (feeds[name] as Tensor).dtype === 'float32')
  return { id, feeds, wrt, body: body as GradientExample['body'], shapes: options.shapes ?? {} }
}

/** Writes an example down whose gradients, for a cotangent of ones, are known. */
export function kink<F extends Feeds>(
  id: string,
  feeds: F,
  body: (values: { readonly [K in keyof F]: Value }) => Values,
  byHand: Feeds,
): GradientExample {
  return { ...smooth(id, feeds, body, { wrt: Object.keys(byHand) }), byHand }
}

const TOLERANCE: Tolerance = { atol: 1e-6, rtol: 1e-5 }
/** Step of the central differences; their error falls with its fourth power after one extrapolation. */
const STEP = 2 ** -9
/** Finite differences may be off by this much of the tensor's largest gradient. */
const DIFFERENCE = 1e-6
const SEED = 61

const batchOf = (graph: Graph, feeds: Feeds): number => {
  for (const name of graph.inputs) {
    for (const [i, dim] of (graph.values[name] as ValueInfo).shape.entries()) {
      if (typeof dim === 'string') return ((feeds[name] as Tensor).shape[i] as number) / extent(dim).factor
    }
  }
  return 1
}

const widen = (t: Tensor): Tensor => (t.dtype === 'float32' ? { ...t, data: Float64Array.from(t.data) } : t)

/** `graph` with numeric shapes; binding it once keeps the many evaluations of the differences cheap. */
const evaluate = (graph: Graph, feeds: Feeds, precision: Precision): Record<string, Tensor> =>
  evaluateGraph(
    graph,
    precision === 'float64'
      ? Object.fromEntries(Object.entries(feeds).map(([n, t]) => [n, widen(t)]))
      : feeds,
    precision,
  )

/** The case of an example. */
export function gradientCase(
  subject: string,
  { id, feeds, wrt, body, shapes, byHand }: GradientExample,
): GraphCase {
  const forward = () => expandComposites(graphOf(`${subject}/${id}`, typesOf(feeds, shapes), body))
  const differentiable = (graph: Graph) =>
    graph.outputs
      .filter(({ value }) => (graph.values[value] as ValueInfo).dtype === 'float32')
      .map((o) => o.name)
  return {
    kind: 'graph',
    id: `gradients/${subject}/${id}`,
    group: 'gradients',
    seed: SEED,
    tolerance: TOLERANCE,
    graph: () => {
      const graph = forward()
      return vjpGraph(graph, { of: differentiable(graph), wrt })
    },
    runs: (): readonly GraphRun[] => {
      const symbolic = forward()
      const graph = bindBatch(symbolic, batchOf(symbolic, feeds))
      const of = differentiable(graph)
      const outputs = evaluate(graph, feeds, 'float64')
      const cotangents = Object.fromEntries(
        of.map((name, i) => {
          const { shape } = outputs[name] as Tensor
          const signed = noise(SEED + i, shape)
          return [
            `cotangent/${name}`,
            byHand ? { ...signed, data: new Float32Array(signed.data.length).fill(1) } : signed,
          ]
        }),
      )
      const all = { ...feeds, ...cotangents }
      const whole = vjpGraph(graph, { of, wrt })
      const [exact, single] = [evaluate(whole, all, 'float64'), evaluate(whole, all, 'float32')]
      const expected: Record<string, Tensor> = {}
      const tolerance: Record<string, Tolerance> = {}
      for (const name of wrt) {
        const gradient = exact[`grad/${name}`] as Tensor
        const difference = byHand ? (byHand[name] as Tensor) : differences(graph, feeds, cotangents, name)
        agree(`grad/${name}`, gradient, difference)
        expected[`grad/${name}`] = gradient
        tolerance[`grad/${name}`] = gapTolerance(gradient, single[`grad/${name}`] as Tensor)
      }
      return [{ feeds: all, expected, tolerance }]
    },
  }
}

/** Central differences at two step sizes, extrapolated to step 0. */
function differences(graph: Graph, feeds: Feeds, cotangents: Feeds, name: string): Tensor {
  const point = widen(feeds[name] as Tensor)
  const value = () => {
    const outputs = evaluate(graph, { ...feeds, [name]: point }, 'float64')
    let total = 0
    for (const [key, { data }] of Object.entries(cotangents)) {
      const out = (outputs[key.slice('cotangent/'.length)] as Tensor).data
      for (let i = 0; i < data.length; i++) total += (data[i] as number) * (out[i] as number)
    }
    return total
  }
  const slope = (i: number, step: number) => {
    const at = point.data[i] as number
    point.data[i] = at + step
    const above = value()
    point.data[i] = at - step
    const below = value()
    point.data[i] = at
    return (above - below) / (2 * step)
  }
  const data = Float64Array.from(point.data, (_, i) => (4 * slope(i, STEP / 2) - slope(i, STEP)) / 3)
  return { dtype: 'float32', shape: point.shape, data }
}

function agree(name: string, gradient: Tensor, difference: Tensor): void {
  check(
    gradient.shape.join() === difference.shape.join(),
    `${name} has shape (${gradient.shape}), its input (${difference.shape})`,
  )
  const largest = Math.max(1e-3, ...Array.from(gradient.data, Math.abs))
  for (let i = 0; i < gradient.data.length; i++) {
    const [g, d] = [gradient.data[i] as number, difference.data[i] as number]
    check(
      Math.abs(g - d) <= DIFFERENCE * largest,
      `autodiff itself is wrong: ${name}[${i}] is ${g}, finite differences say ${d}`,
    )
  }
}
