/** Finds an ONNX Runtime. Loaded on demand: importing this package needs no runtime. */
import { FepError } from '@fep-moe/core'
import { inNode, isRuntime, type OnnxRuntime, type OnnxRuntimeName } from './runtime.js'

/** `import()` of each build, where an entry of this package has one. */
export type RuntimeImports = Readonly<Partial<Record<OnnxRuntimeName, () => Promise<unknown>>>>

/** `import()` of a package that no bundler may look for. */
const unbundled = (specifier: string) => import(/* @vite-ignore */ /* webpackIgnore: true */ specifier)

/**
 * What Node imports. A bundler of a server cannot take a native addon along, and must not take the WebAssembly build
 * along either, which the server does not use.
 */
export const nodeImports: RuntimeImports = {
  node: () => unbundled('onnxruntime-node'),
  web: () => unbundled('onnxruntime-web'),
}

const INSTALL: Readonly<Record<OnnxRuntimeName, string>> = {
  node: 'ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node',
  web: 'npm install onnxruntime-web',
}

/** The build to use where the user does not choose: Node's in Node, else the one for pages. */
export const preferredRuntime = (imports: RuntimeImports): OnnxRuntimeName =>
  imports.node && inNode() ? 'node' : 'web'

/**
 * Loads a build of ONNX Runtime.
 * @throws FEP_BACKEND_MISSING where it is not installed, or does not load on this platform
 */
export async function loadRuntime(
  name: OnnxRuntimeName = 'node',
  imports: RuntimeImports = nodeImports,
): Promise<OnnxRuntime> {
  const load = imports[name]
  if (!load)
    throw new FepError(
      'FEP_BACKEND_MISSING',
      `onnxruntime-${name} does not run in a page. Use runtime: 'web' here; install it with: ${INSTALL.web}`,
    )
  try {
    const module = (await load()) as { default?: unknown }
    const runtime = isRuntime(module) ? module : module.default
    if (!isRuntime(runtime)) throw new TypeError('the module has no InferenceSession')
    return runtime
  } catch (cause) {
    throw new FepError('FEP_BACKEND_MISSING', explain(name, cause), { cause })
  }
}

function explain(name: OnnxRuntimeName, cause: unknown): string {
  const text = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
  const where = typeof process === 'undefined' ? 'here' : `on ${process.platform}-${process.arch}`
  const missing = new RegExp(`Cannot find (?:package|module) ['"]onnxruntime-${name}['"]`).test(String(text))
  const why = name === 'node' ? ' (the variable skips a download of GPU libraries, which are not needed)' : ''
  if (missing) return `onnxruntime-${name} is not installed. Install it with: ${INSTALL[name]}${why}`
  return `onnxruntime-${name} does not load ${where}: ${text}. Where the package has no binary, use another backend; else reinstall it: ${INSTALL[name]}`
}
