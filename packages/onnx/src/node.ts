/** The backend of this package's default entry: Node, and pages without a bundler. */
import type { Backend } from '@fep-moe/core'
import { openBackend } from './backend.js'
import type { OnnxBackendOptions } from './options.js'
import { nodeImports } from './runtime/load.js'

/**
 * Makes a backend that runs graphs on ONNX Runtime: onnxruntime-node in Node, onnxruntime-web in a page, both optional
 * peers that are loaded here, or a module that you pass. Programs too small to be worth a call into it run as generated
 * JavaScript. One program serves every batch size, and tensors that one run returns feed the next without a copy.
 * @throws FEP_BACKEND_MISSING where the runtime is not installed, has no binary for this platform, or does not find its
 * WebAssembly file; FEP_BAD_ARGUMENT for an unknown option or one out of range
 * @example
 * const backend = await onnxBackend({ threads: 1 })
 */
export async function onnxBackend(options: OnnxBackendOptions = {}): Promise<Backend> {
  return openBackend(options, nodeImports)
}

/** Backend specifier entry: `{ module: '@fep-moe/onnx', options: { threads } }`. */
export const createBackend = (options?: Readonly<Record<string, unknown>>): Promise<Backend> =>
  onnxBackend(options as OnnxBackendOptions)
