/** Options of the backend, and their check. */
import { FepError, show } from '@fep-moe/core'
import { BACKENDS, type TfjsName } from './runtime/names.js'

/** Options of `tfjsBackend`. */
export interface TfjsBackendOptions {
  /**
   * The tfjs backend to run on. Default in Node: `node` where `@tensorflow/tfjs-node` is installed and loads, else
   * `wasm`, else `cpu`; in browsers: `webgpu`, else `webgl`, else `wasm`, else `cpu`.
   */
  readonly backend?: TfjsName
  /**
   * Where the `.wasm` files of `@tensorflow/tfjs-backend-wasm` are: a folder's URL that ends in `/`, or a URL per file
   * name (what a bundler gives). Default: beside the script, as tfjs has it; Node needs none. It must come before the
   * wasm backend is first used in a page.
   */
  readonly wasmPaths?: string | Readonly<Record<string, string>>
  /**
   * What runs programs below `SMALL_PROGRAM` operations (`@fep-moe/js`), one step of a small gate for instance:
   * `javascript` (default) takes less time than calling tfjs's kernels does; `native` sends everything to tfjs.
   */
  readonly smallPrograms?: 'javascript' | 'native'
}

/** @throws FEP_BAD_ARGUMENT */
export function checkOptions(options: TfjsBackendOptions): TfjsBackendOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new FepError('FEP_BAD_ARGUMENT', `tfjsBackend: options are ${show(options)}; expected an object`)
  const { backend, wasmPaths, smallPrograms, ...unknown } = options
  const [extra] = Object.keys(unknown)
  if (extra !== undefined)
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `tfjsBackend: unknown option ${show(extra)}; accepted: backend, wasmPaths, smallPrograms`,
    )
  if (backend !== undefined && !BACKENDS.includes(backend))
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `tfjsBackend.backend is ${show(backend)}; accepted: ${BACKENDS.map((b) => `'${b}'`).join(', ')}`,
    )
  if (wasmPaths !== undefined && !arePaths(wasmPaths))
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `tfjsBackend.wasmPaths is ${show(wasmPaths)}; accepted: a URL that ends in '/', or an object of URLs by file name`,
    )
  if (smallPrograms !== undefined && smallPrograms !== 'javascript' && smallPrograms !== 'native')
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `tfjsBackend.smallPrograms is ${show(smallPrograms)}; accepted: 'javascript', 'native'`,
    )
  return options
}

function arePaths(paths: unknown): boolean {
  if (typeof paths === 'string') return paths.endsWith('/')
  if (typeof paths !== 'object' || paths === null || Array.isArray(paths)) return false
  const urls = Object.values(paths)
  return urls.length > 0 && urls.every((url) => typeof url === 'string' && url !== '')
}
