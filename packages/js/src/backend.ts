/** The backend that compiles graphs to JavaScript. */
import { type Backend, type Capabilities, defineBackend, FepError, show } from '@fep-moe/core'
import { compileProgram } from './program.js'

/** Options of {@link jsBackend}: there are none yet. */
export type JsBackendOptions = Readonly<Record<string, never>>

/** What this backend can do. Every value is rounded where the reference rounds it, so nothing is inexact beyond that. */
const CAPABILITIES: Capabilities = {
  dtypes: ['float32', 'int32', 'bool'],
  composites: [],
  unsupported: [],
  sync: true,
  hostTensors: true,
  symbolicBatch: false,
  device: 'cpu',
  precision: 'float32',
  accuracy: {},
  nonFinite: { policy: 'ieee', except: {} },
}

/**
 * Makes a backend that compiles graphs to JavaScript: synchronous, without a dependency, in Node and in browsers. Code is
 * made for one batch size; programs keep the code of the sizes they met last. Constant matrices are multiplied by vectors
 * in WebAssembly, where there is SIMD: all programs share 32 MiB for that, of which `dispose` gives a program's part back.
 * @throws FEP_BAD_ARGUMENT for an unknown option. `compile` throws FEP_BACKEND_FAILED where a content security policy
 * forbids code made from strings.
 * @example
 * const backend = await jsBackend()
 */
export async function jsBackend(options: JsBackendOptions = {}): Promise<Backend> {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new FepError('FEP_BAD_ARGUMENT', `jsBackend: options are ${show(options)}; expected an object`)
  const [extra] = Object.keys(options)
  if (extra !== undefined)
    throw new FepError('FEP_BAD_ARGUMENT', `jsBackend: unknown option ${show(extra)}; accepted: none`)
  return defineBackend({
    name: 'js',
    capabilities: CAPABILITIES,
    compile: compileProgram,
    dispose: () => undefined,
  })
}

/** Backend specifier entry: `{ module: '@fep-moe/js' }`. */
export const createBackend = (options?: Readonly<Record<string, unknown>>): Promise<Backend> =>
  jsBackend(options as JsBackendOptions)
