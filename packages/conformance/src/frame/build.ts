/** Graphs for cases, written as a function from inputs to outputs. */
import { type DType, type Graph, GraphBuilder, type Shape, type Tensor, type Value } from '@fep-moe/core'

/** Values by name. */
export type Values = Readonly<Record<string, Value>>

/** Types of inputs by name. */
export type InputTypes = Readonly<Record<string, { readonly dtype: DType; readonly shape: Shape }>>

/** Builds a graph whose inputs have the given types. */
export function graphOf<const I extends InputTypes>(
  name: string,
  inputs: I,
  body: (values: { readonly [K in keyof I]: Value }) => Values,
): Graph {
  const builder = new GraphBuilder(name)
  const entries = Object.entries(inputs).map(([key, { dtype, shape }]) => [
    key,
    builder.input(key, dtype, shape),
  ])
  const outputs = body(Object.fromEntries(entries) as { readonly [K in keyof I]: Value })
  for (const [key, value] of Object.entries(outputs)) builder.output(key, value)
  return builder.build()
}

/** Input types as the feeds have them, with some shapes declared otherwise (symbolically). */
export function typesOf(
  feeds: Readonly<Record<string, Tensor>>,
  shapes: Readonly<Record<string, Shape>> = {},
): Record<string, { dtype: DType; shape: Shape }> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, shape }]) => [name, { dtype, shape: shapes[name] ?? shape }]),
  )
}
