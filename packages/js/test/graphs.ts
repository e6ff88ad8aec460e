/** Graphs that several tests compile, and how they are compiled without the backend around them. */
import {
  bindBatch,
  type DType,
  expandComposites,
  type Graph,
  GraphBuilder,
  type Shape,
  type Tensor,
  type Value,
} from '@fep-moe/core'

/** Builds a graph; inputs are float32 unless they say otherwise. */
export function graphOf(
  inputs: Readonly<Record<string, Shape | { readonly dtype: DType; readonly shape: Shape }>>,
  body: (values: Readonly<Record<string, Value>>) => Readonly<Record<string, Value>>,
): Graph {
  const builder = new GraphBuilder('graph')
  const values = Object.entries(inputs).map(([name, type]) => {
    const { dtype, shape } = 'dtype' in type ? type : { dtype: 'float32' as const, shape: type }
    return [name, builder.input(name, dtype, shape)]
  })
  for (const [name, value] of Object.entries(body(Object.fromEntries(values)))) builder.output(name, value)
  return builder.build()
}

/** What a backend's `compile` is given. */
export const lowered = (graph: Graph, batch = 1): Graph => bindBatch(expandComposites(graph), batch)

/** Repeatable numbers in −1..1. */
export const wave = (shape: readonly number[], shift = 0): Tensor<Float32Array> => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => Math.sin(i + 1 + shift)),
})

/** Feeds for every float32 input. */
export const feedsOf = (graph: Graph): Record<string, Tensor<Float32Array>> =>
  Object.fromEntries(
    graph.inputs.map((name, i) => [name, wave(graph.values[name]?.shape as readonly number[], i)]),
  )
