/** Options of the backend, and their check. */
import { FepError, show } from '@fep-moe/core'
import { checkInteger } from './check-integer.js'
import { isRuntime, type OnnxRuntime, type OnnxRuntimeName, type OnnxWasmPaths } from './runtime/runtime.js'

/** Options of `onnxBackend`. */
export interface OnnxBackendOptions {
  /**
   * The ONNX Runtime to run on: `node` (onnxruntime-node, native; default in Node), `web` (onnxruntime-web, WebAssembly;
   * default in pages), or a module that you have imported yourself.
   */
  readonly runtime?: OnnxRuntimeName | OnnxRuntime
  /**
   * Where the files of onnxruntime-web are. A bundler gives the URL:
   * `import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url'`, then `{ wasmPaths: { wasm } }`. Default: beside the
   * script. It must come before the first session of a page.
   */
  readonly wasmPaths?: OnnxWasmPaths
  /**
   * Threads; an integer from 1 to 256, default 1: many small runs go faster as many processes. Per session on `node`; on
   * `web` the first backend decides for the page, and more than 1 needs a page that is cross-origin isolated.
   */
  readonly threads?: number
  /** See `ToOnnxOptions.batchHint`; an integer >= 1, default 32. */
  readonly batchHint?: number
  /**
   * What runs programs below `SMALL_PROGRAM` operations, one step of a small gate for instance: `javascript` (default)
   * takes a tenth of the time that handing the call to the runtime takes; `native` sends everything to ONNX Runtime.
   */
  readonly smallPrograms?: 'javascript' | 'native'
}

/** Options with their defaults; `runtime` stays open, because the default depends on where this runs. */
export interface CheckedOptions {
  readonly runtime: OnnxRuntimeName | OnnxRuntime | undefined
  readonly wasmPaths: OnnxWasmPaths | undefined
  readonly threads: number
  readonly batchHint: number
  readonly smallPrograms: 'javascript' | 'native'
}

const refuse = (field: string, value: unknown, accepted: string): never => {
  throw new FepError('FEP_BAD_ARGUMENT', `onnxBackend.${field} is ${show(value)}; accepted: ${accepted}`)
}

/** Fills in defaults. @throws FEP_BAD_ARGUMENT */
export function checkOptions(options: OnnxBackendOptions): CheckedOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new FepError('FEP_BAD_ARGUMENT', `onnxBackend: options are ${show(options)}; expected an object`)
  const {
    runtime,
    wasmPaths,
    threads = 1,
    batchHint = 32,
    smallPrograms = 'javascript',
    ...unknown
  } = options
  const [extra] = Object.keys(unknown)
  if (extra !== undefined)
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `onnxBackend: unknown option ${show(extra)}; accepted: runtime, wasmPaths, threads, batchHint, smallPrograms`,
    )
  if (runtime !== undefined && runtime !== 'node' && runtime !== 'web' && !isRuntime(runtime))
    refuse('runtime', runtime, "'node', 'web', or a module of ONNX Runtime (InferenceSession, Tensor)")
  if (wasmPaths !== undefined && !arePaths(wasmPaths))
    refuse('wasmPaths', wasmPaths, "a URL that ends in '/', or { wasm?, mjs? } with URLs")
  if (wasmPaths !== undefined && runtime === 'node')
    refuse('wasmPaths', wasmPaths, "nothing with runtime: 'node', which has no WebAssembly files")
  checkInteger('onnxBackend.threads', threads, 256)
  checkInteger('onnxBackend.batchHint', batchHint)
  if (smallPrograms !== 'javascript' && smallPrograms !== 'native')
    refuse('smallPrograms', smallPrograms, "'javascript', 'native'")
  return { runtime, wasmPaths, threads, batchHint, smallPrograms }
}

function arePaths(paths: unknown): boolean {
  if (typeof paths === 'string') return paths.endsWith('/')
  if (typeof paths !== 'object' || paths === null || Array.isArray(paths)) return false
  const entries = Object.entries(paths)
  return (
    entries.length > 0 &&
    entries.every(([key, url]) => (key === 'wasm' || key === 'mjs') && typeof url === 'string' && url !== '')
  )
}
