/** Short names of backends. They exist in the command line only: everywhere else a backend is an object or a module. */
import type { Backend, BackendModule } from '@fep-moe/core'

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
  /** Threads of one session. */
  readonly threads: number
}

const table = {
  onnx: {
    module: '@fep-moe/onnx',
    packages: ['@fep-moe/onnx', 'onnxruntime-node'],
    options: ({ threads }: BackendChoice) => ({ threads }),
    summary: 'ONNX Runtime',
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

/** Loads a backend's module and makes one. @throws FEP_BACKEND_MISSING */
export async function openBackend(
  name: BackendName,
  choice: BackendChoice = { threads: 1 },
): Promise<Backend> {
  const { module, options } = backendEntry(name)
  const { createBackend } = (await import(module)) as BackendModule
  return createBackend(options(choice))
}
