/** ONNX Runtime for JavaScript, as far as this package uses it: the same in onnxruntime-node and onnxruntime-web. */
import type { InferenceSession, Tensor } from 'onnxruntime-common'

/** The two builds of ONNX Runtime for JavaScript. */
export type OnnxRuntimeName = 'node' | 'web'

/** Where the files of the WebAssembly build are: a URL of their folder that ends in `/`, or a URL for each file. */
export type OnnxWasmPaths = string | { readonly wasm?: string; readonly mjs?: string }

/**
 * A module of ONNX Runtime for JavaScript: `import * as ort from 'onnxruntime-node'`, `'onnxruntime-web'`,
 * `'onnxruntime-web/wasm'`, or one of your own build.
 */
export interface OnnxRuntime {
  readonly InferenceSession: {
    /** Loads a model. */
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>
  }
  readonly Tensor: new (
    type: 'float32' | 'int32' | 'bool',
    data: Tensor.DataType,
    dims: readonly number[],
  ) => Tensor
  /** Settings that all sessions share; ONNX Runtime's own types call them `Env`. */
  readonly env?: {
    readonly versions?: { readonly web?: string }
    readonly wasm?: { numThreads?: number | undefined; wasmPaths?: unknown }
  }
}

/** True for the WebAssembly build, which computes in memory of its own. */
export const isWeb = (runtime: OnnxRuntime): boolean => runtime.env?.versions?.web !== undefined

/** True where a value looks like a module of ONNX Runtime. */
export function isRuntime(value: unknown): value is OnnxRuntime {
  const { InferenceSession, Tensor } = (value ?? {}) as Partial<OnnxRuntime>
  return typeof InferenceSession?.create === 'function' && typeof Tensor === 'function'
}

/** True in Node, and in what passes for it. */
export const inNode = (): boolean =>
  typeof process !== 'undefined' && typeof process.versions?.node === 'string' && !('document' in globalThis)
