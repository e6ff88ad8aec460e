/**
 * The living definition of every operator: plain loops in doubles, one value after another, no tricks. Slow on purpose;
 * every other executor is held against it.
 */

import { countOf } from '../graph/shape.js'
import type { DType, Graph, Node, ValueInfo } from '../graph/types.js'
import type { OpAttrs, PrimitiveName } from '../ops/attrs.js'
import type { EvalScope, NdArray, Primitive } from '../ops/definition.js'
import { primitives } from '../ops/table.js'
import { bindBatch } from '../passes/bind-batch.js'

/** float32 rounds every stored value to single precision; float64 keeps doubles. */
export type Precision = 'float32' | 'float64'

/** A zero-filled array in a precision. */
export function makeArray(dtype: DType, shape: readonly number[], precision: Precision): NdArray {
  const length = countOf(shape)
  if (dtype === 'int32') return { dtype, shape, data: new Int32Array(length) }
  if (dtype === 'bool') return { dtype, shape, data: new Uint8Array(length) }
  return { dtype, shape, data: precision === 'float64' ? new Float64Array(length) : new Float32Array(length) }
}

function scopeFor(precision: Precision): EvalScope {
  return {
    make: (dtype, shape) => makeArray(dtype, shape, precision),
    call: (graph, inputs) => {
      const results = evaluateGraph(
        graph,
        Object.fromEntries(graph.inputs.map((name, i) => [name, inputs[i] as NdArray])),
        precision,
      )
      return graph.outputs.map(({ name }) => results[name] as NdArray)
    },
  }
}

/** Evaluates one primitive node. */
export function evaluateNode(
  node: Node,
  inputs: readonly NdArray[],
  outputs: readonly ValueInfo[],
  precision: Precision,
): readonly NdArray[] {
  const rule = primitives[node.op as PrimitiveName] as Primitive<PrimitiveName>
  return rule.eval(
    inputs,
    node.attrs as OpAttrs[PrimitiveName] as never,
    outputs as readonly { dtype: DType; shape: readonly number[] }[],
    scopeFor(precision),
  )
}

/** Evaluates a graph of primitives with numeric shapes. */
export function evaluateGraph(
  graph: Graph,
  feeds: Readonly<Record<string, NdArray>>,
  precision: Precision,
): Record<string, NdArray> {
  const values = new Map<string, NdArray>(graph.inputs.map((name) => [name, feeds[name] as NdArray]))
  for (const node of graph.nodes) {
    const results = evaluateNode(
      node,
      node.inputs.map((name) => values.get(name) as NdArray),
      node.outputs.map((name) => graph.values[name] as ValueInfo),
      precision,
    )
    node.outputs.forEach((name, i) => {
      values.set(name, results[i] as NdArray)
    })
  }
  return Object.fromEntries(graph.outputs.map(({ name, value }) => [name, values.get(value) as NdArray]))
}

/** Binds the batch and evaluates: for tests and tools that need no backend. Composites must be expanded. */
export function interpret(
  graph: Graph,
  feeds: Readonly<Record<string, NdArray>>,
  options: { precision?: Precision; batch?: number } = {},
): Record<string, NdArray> {
  return evaluateGraph(bindBatch(graph, options.batch ?? 1), feeds, options.precision ?? 'float64')
}
