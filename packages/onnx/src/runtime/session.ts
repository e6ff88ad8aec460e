/** One compiled model: an ONNX Runtime session and the names it speaks. */
import type {
  DType,
  Feeds,
  Fetches,
  Graph,
  HostFetches,
  Tensor as HostTensor,
  ProgramImplementation,
  ValueInfo,
} from '@fep-moe/core'
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import type { OnnxModel } from '../to-onnx.js'
import { isWeb, type OnnxRuntime } from './runtime.js'
import { OnnxTensor, toRuntime } from './tensors.js'

/** How sessions are made. */
export interface SessionSettings {
  readonly threads: number
  /** Where to write a profile; absent: none is taken. */
  readonly profilePrefix?: string
}

/**
 * Denormal numbers are kept: the switch that flushes them is global to the process in ONNX Runtime, and would change
 * the arithmetic of JavaScript itself.
 */
function sessionOptions({ threads, profilePrefix }: SessionSettings): InferenceSession.SessionOptions {
  return {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4, // errors are thrown; nothing goes to stderr
    ...(profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: profilePrefix }),
  }
}

interface Port {
  /** Name in the graph. */
  readonly name: string
  /** Name in the model. */
  readonly onnx: string
  readonly dtype: DType
}

/** Makes the session of a model. */
export async function openSession(
  runtime: OnnxRuntime,
  model: OnnxModel,
  graph: Graph,
  settings: SessionSettings,
): Promise<ProgramImplementation> {
  const session = await runtime.InferenceSession.create(model.bytes, sessionOptions(settings))
  const dtypeOf = (value: string) => (graph.values[value] as ValueInfo).dtype
  const inputs = graph.inputs.map(
    (name, i): Port => ({ name, onnx: model.inputs[i] as string, dtype: dtypeOf(name) }),
  )
  const outputs = graph.outputs.map(
    ({ name, value }, i): Port => ({ name, onnx: model.outputs[i] as string, dtype: dtypeOf(value) }),
  )

  const toFeeds = (feeds: Feeds) => {
    const given: Record<string, Tensor> = {}
    for (const { name, onnx } of inputs) given[onnx] = toRuntime(runtime, feeds[name] as HostTensor)
    return given
  }
  const run = async (feeds: Feeds): Promise<Fetches> => {
    if (outputs.length === 0) return {}
    const results = await session.run(toFeeds(feeds))
    const fetches: Record<string, OnnxTensor> = {}
    for (const { name, onnx, dtype } of outputs)
      fetches[name] = new OnnxTensor(results[onnx] as Tensor, dtype)
    return fetches
  }
  // The WebAssembly build takes the memory of a result that is passed in, and never writes there.
  const sharesMemory = !isWeb(runtime)
  const runInto = async (feeds: Feeds, out: HostFetches): Promise<void> => {
    const wanted = outputs.filter(({ name }) => out[name] !== undefined)
    if (wanted.length === 0) return
    const inPlace = sharesMemory && !overlap(feeds, out)
    const fetches: Record<string, Tensor | null> = {}
    for (const { name, onnx } of wanted)
      fetches[onnx] = inPlace ? toRuntime(runtime, out[name] as HostTensor) : null
    const results = await session.run(toFeeds(feeds), fetches)
    if (inPlace) return
    for (const { name, onnx } of wanted)
      (out[name] as HostTensor).data.set((results[onnx] as Tensor).data as Float32Array)
  }
  return {
    artifact: { format: 'onnx', data: model.bytes },
    run,
    runInto,
    dispose: () => {
      if (settings.profilePrefix !== undefined) session.endProfiling()
      void session.release()
    },
  }
}

/** True where a result shares memory with a feed: it must not be written before the run has read everything. */
function overlap(feeds: Feeds, out: HostFetches): boolean {
  const buffers = new Set(Object.values(out).map((t) => t.data.buffer))
  return Object.values(feeds).some((feed) => 'data' in feed && buffers.has((feed as HostTensor).data.buffer))
}
