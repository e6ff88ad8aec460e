/** The npm packages behind the backends, imported when they are asked for: importing this package loads none of them. */
import type { Tfjs } from '../device/device.js'
import { inNode, packageOf, type TfjsName } from './names.js'

/** `import()` of a package that no bundler may look for. */
type Import = (specifier: string) => Promise<unknown>

const importUnbundled: Import = (specifier) => import(/* @vite-ignore */ /* webpackIgnore: true */ specifier)

/** Loads tfjs itself. */
export async function importCore(): Promise<Tfjs> {
  const module = (await import('@tensorflow/tfjs-core')) as Tfjs & { default?: Tfjs }
  return typeof module.engine === 'function' ? module : (module.default as Tfjs)
}

/**
 * Imports the package that registers a backend.
 * @param load replaces the import of tfjs-node in tests
 */
export async function importBackend(name: TfjsName, load: Import = importUnbundled): Promise<unknown> {
  switch (name) {
    case 'cpu':
      return import('@tensorflow/tfjs-backend-cpu')
    case 'wasm':
      return import('@tensorflow/tfjs-backend-wasm')
    case 'webgl':
      return import('@tensorflow/tfjs-backend-webgl')
    case 'webgpu':
      return import('@tensorflow/tfjs-backend-webgpu')
    case 'node':
      if (!inNode()) throw new Error('tfjs-node runs in Node only')
      mendUtil()
      return quietly(() => load(packageOf('node')))
  }
}

/**
 * tfjs-node 4.22 calls two functions that Node 23 took out of `util` (tensorflow/tfjs#8609; mended there, never
 * released). They are put back where they are missing, before it loads.
 */
export function mendUtil(
  util: Record<string, unknown> = process.getBuiltinModule('node:util') as never,
): void {
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined
  util.isArray ??= Array.isArray
}

/** TensorFlow greets on stderr; warnings still come through. What the user has set wins. */
async function quietly<R>(work: () => Promise<R>): Promise<R> {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '1'
  return work()
}
