/** Short names of backends. They exist in the command line only: everywhere else a backend is an object or a module. */
import { createRequire } from 'node:module'
import { isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Backend, type BackendModule, type BackendSpecifier, FepError } from '@fep-moe/core'

interface BackendEntry {
  readonly module: string
  /** Packages whose versions matter to results. */
  readonly packages: readonly string[]
  /** Options of the module's `createBackend`. */
  options(choice: BackendChoice): Readonly<Record<string, unknown>>
  readonly summary: string
}

/** How a command wants its backend. */
export interface BackendChoice {
  /** Threads of one session. Default 1. */
  readonly threads?: number
  /** Nothing but the executor that the name says, small programs included. Default false. */
  readonly alone?: boolean
}

const smallPrograms = ({ alone = false }: BackendChoice) => (alone ? 'native' : 'javascript')

const tfjs = (backend: string | undefined, summary: string, ...packages: string[]) => ({
  module: '@fep-moe/tfjs',
  packages: ['@fep-moe/tfjs', '@tensorflow/tfjs-core', ...packages],
  options: (choice: BackendChoice) => ({
    ...(backend ? { backend } : {}),
    smallPrograms: smallPrograms(choice),
  }),
  summary,
})

const table = {
  onnx: {
    module: '@fep-moe/onnx',
    packages: ['@fep-moe/onnx', 'onnxruntime-node'],
    options: (choice: BackendChoice) => ({
      threads: choice.threads ?? 1,
      smallPrograms: smallPrograms(choice),
    }),
    summary: 'ONNX Runtime',
  },
  js: {
    module: '@fep-moe/js',
    packages: ['@fep-moe/js'],
    options: () => ({}),
    summary: 'generated JavaScript: no dependency, fastest for small programs',
  },
  tfjs: tfjs(undefined, 'TensorFlow.js on the best of its backends that is here'),
  'tfjs-node': tfjs('node', 'TensorFlow.js on libtensorflow', '@tensorflow/tfjs-node'),
  'tfjs-wasm': tfjs('wasm', 'TensorFlow.js on WebAssembly', '@tensorflow/tfjs-backend-wasm'),
  'tfjs-cpu': tfjs('cpu', 'TensorFlow.js in plain JavaScript', '@tensorflow/tfjs-backend-cpu'),
  'webgpu-node': {
    module: '@fep-moe/webgpu',
    packages: ['@fep-moe/webgpu', 'webgpu'],
    options: (choice: BackendChoice) => ({ smallPrograms: smallPrograms(choice) }),
    summary: 'WebGPU on Dawn',
  },
  reference: {
    module: '@fep-moe/core',
    packages: [],
    options: () => ({}),
    summary: 'the reference interpreter: plain, slow, runs everywhere',
  },
} as const satisfies Readonly<Record<string, BackendEntry>>

/** A short name. */
export type BackendName = keyof typeof table

/** All short names, the default first. */
export const backendNames = Object.keys(table) as BackendName[]

/** What stands behind a name. */
export const backendEntry = (name: BackendName): BackendEntry => table[name]

/** Executors, each under one name: the lanes of the conformance matrix. */
export const executorNames = backendNames.filter((name) => name !== 'tfjs')

/** The specifier behind a name. */
export function backendSpecifier(name: BackendName, choice: BackendChoice = {}): BackendSpecifier {
  const { module, options } = backendEntry(name)
  return { module, options: options(choice) }
}

/** Loads a backend's module and makes one. @throws FEP_BACKEND_MISSING, FEP_USAGE where the module makes none */
export async function openSpecifier({ module, options }: BackendSpecifier): Promise<Backend> {
  const { createBackend } = (await import(module)) as Partial<BackendModule>
  if (typeof createBackend !== 'function')
    throw new FepError('FEP_USAGE', `module '${module}' does not export createBackend(options)`)
  return createBackend(options)
}

/** Makes the backend behind a name. @throws FEP_BACKEND_MISSING */
export const openBackend = (name: BackendName, choice: BackendChoice = {}): Promise<Backend> =>
  openSpecifier(backendSpecifier(name, choice))

/**
 * What `--backend` may say where any backend will do: a short name, a file (`./my-backend.js`, absolute or from the
 * current folder), or a package that is installed here.
 * @throws FEP_USAGE where the module does not load
 */
export async function openNamedOrModule(text: string, choice: BackendChoice = {}): Promise<Backend> {
  if (backendNames.includes(text as BackendName)) return openBackend(text as BackendName, choice)
  const file = text.startsWith('.') || isAbsolute(text) || /\.[cm]?js$/.test(text)
  if (!file && !text.startsWith('@') && !text.includes('/'))
    throw new FepError(
      'FEP_USAGE',
      `--backend is '${text}'; accepted: ${backendNames.join(', ')}, a file such as ./my-backend.js, or @scope/package`,
    )
  try {
    // A package is the caller's: it is looked up from the current folder, not from where this command is installed.
    const path = file ? resolve(text) : createRequire(resolve('package.json')).resolve(text)
    return await openSpecifier({ module: pathToFileURL(path).href })
  } catch (error) {
    if (error instanceof FepError) throw error
    throw new FepError('FEP_USAGE', `--backend ${text}: ${(error as Error).message}`, { cause: error })
  }
}
