/** Graph to ONNX bytes. */
import { create, toBinary } from '@bufbuild/protobuf'
import {
  eliminateDeadCode,
  expandComposites,
  extent,
  type Graph,
  type ValueInfo,
  verifyGraph,
} from '@fep-moe/core'
import { checkInteger } from './check-integer.js'
import { lowerGraph } from './emit/lower-graph.js'
import type { BatchSource, ModelScope } from './emit/model-scope.js'
import { NameTable } from './emit/names.js'
import { valueInfo } from './emit/protobuf.js'
import { GraphWriter } from './emit/writer.js'
import type { LinearScanForm } from './linear-scan/choose.js'
import { claimedComposites } from './lowerings/table.js'
import { ModelProtoSchema } from './proto/onnx_pb.js'

/** ONNX operator set of emitted models. */
export const OPSET = 21
/** ONNX file format version of emitted models. */
export const IR_VERSION = 10

/** Options of {@link toOnnx}. */
export interface ToOnnxOptions {
  /**
   * Batch size to assume where a lowering must choose between forms and the shape is symbolic; an integer >= 1, default
   * 32. It only decides speed: a long LinearScan runs in chunks when few rows run in parallel. Results and accepted
   * shapes do not depend on it.
   */
  readonly batchHint?: number
  /**
   * Threads the model will run on; an integer >= 1, default: unknown. On one thread, scatter-adds use a faster kernel of
   * ONNX Runtime that loses additions on several when indices repeat.
   */
  readonly threads?: number
}

/** A model and the names its inputs and outputs carry, in the graph's order. */
export interface OnnxModel {
  readonly bytes: Uint8Array
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/**
 * Writes a graph as an ONNX model: opset 21, IR version 10, standard domain only.
 *
 * Inputs and outputs keep their names; an output that shares its name with an input gets a number (`params_2`). The
 * dimension `batch` stays symbolic. Values and nodes carry the graph's names. The bytes are a pure function of graph
 * and options.
 * @param graph any graph; composites without a native lowering are expanded
 * @throws FEP_BAD_GRAPH where the graph breaks an invariant; FEP_BAD_ARGUMENT for an option out of range
 */
export function toOnnx(graph: Graph, options: ToOnnxOptions = {}): Uint8Array {
  checkInteger('toOnnx.batchHint', options.batchHint ?? 1, Number.MAX_SAFE_INTEGER)
  checkInteger('toOnnx.threads', options.threads ?? 1, Number.MAX_SAFE_INTEGER)
  verifyGraph(graph)
  return buildModel(graph, options).bytes
}

/** What only tests and measurements set. */
export interface BuildOptions extends ToOnnxOptions {
  readonly linearScan?: LinearScanForm
}

/** {@link toOnnx} of a verified graph, with the names that a runtime feeds and fetches. */
export function buildModel(
  graph: Graph,
  { batchHint = 32, threads, linearScan }: BuildOptions = {},
): OnnxModel {
  const lowered = eliminateDeadCode(
    expandComposites(graph, (op) => (claimedComposites as readonly string[]).includes(op)),
  )
  const names = new NameTable()
  const inputs = lowered.inputs.map((name) => names.unique(name))
  const outputs = lowered.outputs.map(({ name }) => names.unique(name))
  const model: ModelScope = {
    names,
    nodeNames: new NameTable(),
    batch: batchSource(lowered),
    batchHint,
    threads,
    linearScan,
    zeros: new Set(),
    scalars: new Map(),
  }
  const writer = new GraphWriter(model)
  const results = lowerGraph(lowered, inputs, writer, nameValues(lowered, names, outputs), (value) => value)
  // Two outputs may show one value, and an output may be an input: ONNX wants a name of its own for each.
  results.forEach((name, i) => {
    if (name !== outputs[i]) writer.op('Identity', [name], {}, outputs[i] as string)
  })
  const typed = (list: readonly string[], values: readonly string[]) =>
    list.map((name, i) => valueInfo(name, lowered.values[values[i] as string] as ValueInfo))
  const proto = create(ModelProtoSchema, {
    irVersion: BigInt(IR_VERSION),
    producerName: 'fep-moe',
    opsetImport: [{ domain: '', version: BigInt(OPSET) }],
    graph: writer.finish(
      graph.name === '' ? 'graph' : graph.name,
      typed(inputs, lowered.inputs),
      typed(
        outputs,
        lowered.outputs.map((o) => o.value),
      ),
    ),
  })
  return { bytes: toBinary(ModelProtoSchema, proto), inputs, outputs }
}

/** The first input dimension that is symbolic. */
function batchSource(graph: Graph): BatchSource | undefined {
  for (const input of graph.inputs) {
    const { shape } = graph.values[input] as ValueInfo
    for (const [axis, dim] of shape.entries())
      if (typeof dim === 'string') return { input, axis, factor: extent(dim).factor }
  }
  return undefined
}

/** A value that an output shows carries the output's name; every other keeps its own where that is free. */
function nameValues(graph: Graph, names: NameTable, outputs: readonly string[]): (value: string) => string {
  const fixed = new Map<string, string>()
  const defined = new Set(
    graph.nodes.filter((node) => node.op !== 'Constant').flatMap((node) => node.outputs),
  )
  graph.outputs.forEach(({ value }, i) => {
    if (defined.has(value) && !fixed.has(value)) fixed.set(value, outputs[i] as string)
  })
  for (const node of graph.nodes)
    for (const value of node.outputs) if (!fixed.has(value)) fixed.set(value, names.unique(value))
  return (value) => fixed.get(value) as string
}
