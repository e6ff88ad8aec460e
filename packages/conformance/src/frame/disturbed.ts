/**
 * The float64 reference with errors put in: every operator that an executor declares inexact is off by all it may be, up
 * or down at random per element.
 */
import {
  type Backend,
  type Capabilities,
  defineBackend,
  expandComposites,
  type Feeds,
  type Graph,
  hostTensor,
  isComposite,
  makeArray,
  type OpName,
  type Primitive,
  type PrimitiveName,
  primitives,
  type Tensor,
} from '@fep-moe/core'
import { generator } from './data.js'

const ULP = 2 ** -23

/** @param seed of the signs; undefined: no error at all */
export function disturbedReference(capabilities: Capabilities, seed?: number): Backend {
  const next = seed === undefined ? () => 0 : generator(seed)
  const sign = seed === undefined ? () => 0 : () => (next() < 0.5 ? -1 : 1)
  const disturb = (t: Tensor, op: OpName): Tensor => {
    const declared = capabilities.accuracy[op]
    if (!declared || t.dtype !== 'float32') return t
    const { ulp = 0, absolute = 0 } = declared
    return { ...t, data: Float64Array.from(t.data, (v) => v + sign() * (absolute + ulp * ULP * Math.abs(v))) }
  }
  return defineBackend({
    name: 'disturbed reference',
    capabilities: {
      ...capabilities,
      precision: 'float64',
      sync: false,
      hostTensors: true,
      symbolicBatch: false,
    },
    compile: (graph) => ({
      run: (feeds: Feeds) => {
        const results = evaluate(graph, feeds as Readonly<Record<string, Tensor>>, disturb)
        return Object.fromEntries(
          Object.entries(results).map(([name, t]) => [
            name,
            hostTensor({ ...t, data: t.data.slice() as Tensor['data'] }),
          ]),
        )
      },
      dispose: () => undefined,
    }),
    dispose: () => undefined,
  })
}

/** Evaluates in doubles and hands every result to `disturb`, Scan bodies included. */
function evaluate(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
  disturb: (t: Tensor, op: OpName) => Tensor,
): Record<string, Tensor> {
  const expanded = expandComposites(graph)
  // Expanding keeps the names of composite results, so that a composite's own declaration finds its value.
  const composite = new Map<string, OpName>(
    graph.nodes.flatMap(({ op, outputs }) =>
      isComposite(op) ? outputs.map((name) => [name, op] as const) : [],
    ),
  )
  const values = new Map<string, Tensor>()
  const value = (name: string) => values.get(name) as Tensor
  for (const name of graph.inputs) {
    const feed = feeds[name] as Tensor
    values.set(name, feed.dtype === 'float32' ? { ...feed, data: Float64Array.from(feed.data) } : feed)
  }
  for (const node of expanded.nodes) {
    const rule = primitives[node.op as PrimitiveName] as Primitive<PrimitiveName>
    const types = node.outputs.map((name) => expanded.values[name] as Pick<Tensor, 'dtype' | 'shape'>)
    const results = rule.eval(node.inputs.map(value), node.attrs as never, types, {
      make: (dtype, shape) => makeArray(dtype, shape, 'float64'),
      call: (body, inputs) => {
        const named = Object.fromEntries(body.inputs.map((name, i) => [name, inputs[i] as Tensor]))
        const inner = evaluate(body, named, disturb)
        return body.outputs.map(({ name }) => inner[name] as Tensor)
      },
    })
    node.outputs.forEach((name, i) => {
      values.set(name, disturb(results[i] as Tensor, composite.get(name) ?? node.op))
    })
  }
  return Object.fromEntries(graph.outputs.map(({ name, value: at }) => [name, value(at)]))
}
