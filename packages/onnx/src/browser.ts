/**
 * The entry that bundlers take for a page (condition `browser`): the same names as the default entry, and nothing of Node
 * in what they lead to.
 * @packageDocumentation
 */
import { type Backend, FepError } from '@fep-moe/core'
import { openBackend } from './backend.js'
import type { OnnxBackendOptions } from './options.js'
import type { RuntimeImports } from './runtime/load.js'

export type { OnnxBackendOptions } from './options.js'
export type { NodeTime, Profile, ProfileOptions } from './profile.js'
export type { OnnxRuntime, OnnxRuntimeName, OnnxWasmPaths } from './runtime/runtime.js'
export { IR_VERSION, OPSET, type ToOnnxOptions, toOnnx } from './to-onnx.js'

/** A bundler makes a chunk of it that is fetched when a backend is opened. */
const imports: RuntimeImports = { web: () => import('onnxruntime-web/wasm') }

/** See the default entry. In a page, `runtime` is `web` or a module that you pass. */
export async function onnxBackend(options: OnnxBackendOptions = {}): Promise<Backend> {
  return openBackend(options, imports)
}

/** Backend specifier entry: `{ module: '@fep-moe/onnx', options: { wasmPaths } }`. */
export const createBackend = (options?: Readonly<Record<string, unknown>>): Promise<Backend> =>
  onnxBackend(options as OnnxBackendOptions)

/** Not in a page: ONNX Runtime's profiler writes a file. @throws FEP_UNSUPPORTED */
export async function profile(): Promise<never> {
  throw new FepError('FEP_UNSUPPORTED', 'profile: ONNX Runtime writes its profile to a file; use it in Node')
}
