/** The reference interpreter as a backend: synchronous, no dependency, in single or double precision. */
import type { Backend, Feeds, HostFetches } from '../backend/contract.js'
import { defineBackend } from '../backend/define-backend.js'
import { hostTensor } from '../backend/host-tensor.js'
import { FepError, show } from '../errors.js'
import type { Graph } from '../graph/types.js'
import type { NdArray } from '../ops/definition.js'
import type { Tensor, TensorData } from '../tensor.js'
import { evaluateGraph, type Precision } from './interpreter.js'

/** Options of {@link referenceBackend}. */
export interface ReferenceOptions {
  /** Arithmetic of float32 values; default `float32`. With `float64`, results are Float64Arrays. */
  readonly precision?: Precision
}

/** Makes the reference backend. @throws FEP_BAD_ARGUMENT for an unknown precision */
export async function referenceBackend(options: ReferenceOptions = {}): Promise<Backend> {
  const precision = options.precision ?? 'float32'
  if (precision !== 'float32' && precision !== 'float64')
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `referenceBackend: precision is ${show(precision)}; accepted: 'float32', 'float64'`,
    )
  return defineBackend({
    name: 'reference',
    capabilities: {
      dtypes: ['float32', 'int32', 'bool'],
      composites: [],
      unsupported: [],
      sync: true,
      hostTensors: true,
      symbolicBatch: false,
      device: 'cpu',
      precision,
      accuracy: {},
      nonFinite: { policy: 'ieee', except: {} },
    },
    compile: (graph: Graph) => ({
      run: (feeds: Feeds) =>
        Object.fromEntries(
          Object.entries(evaluate(graph, feeds, precision)).map(([name, array]) => [
            name,
            hostTensor({ ...array, data: copy(array.data) }),
          ]),
        ),
      runInto: (feeds: Feeds, out: HostFetches) => {
        const results = evaluate(graph, feeds, precision)
        for (const [name, into] of Object.entries(out))
          into.data.set((results[name] as NdArray).data as Float32Array)
      },
      dispose: () => undefined,
    }),
    dispose: () => undefined,
  })
}

/** Backend specifier entry: `{ module: '@fep-moe/core', options: { precision } }`. */
export const createBackend = (options?: Readonly<Record<string, unknown>>): Promise<Backend> =>
  referenceBackend(options as ReferenceOptions)

// Reshape and StopGradient share memory with their operand, and an output may be a feed: a result is always a copy.
const copy = (data: TensorData): TensorData => data.slice() as TensorData

function evaluate(graph: Graph, feeds: Feeds, precision: Precision): Record<string, NdArray> {
  const arrays: Record<string, NdArray> = {}
  for (const [name, feed] of Object.entries(feeds)) {
    const { dtype, shape, data } = feed as Tensor
    arrays[name] = {
      dtype,
      shape,
      data:
        dtype === 'float32' && precision === 'float64' && data instanceof Float32Array
          ? Float64Array.from(data)
          : data,
    }
  }
  return evaluateGraph(graph, arrays, precision)
}
