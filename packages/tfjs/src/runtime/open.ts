/** From a name to a device: the package, its registration with tfjs, the backend's instance. */
import { FepError } from '@fep-moe/core'
import type { KernelBackend } from '@tensorflow/tfjs-core'
import type { Device, Tfjs } from '../device/device.js'
import { GpuDevice } from '../device/direct-device.js'
import { CpuDevice, WasmDevice } from '../device/host-device.js'
import { NodeDevice } from '../device/node-device.js'
import type { TfjsBackendOptions } from '../options.js'
import { inNode, packageOf, preferred, registryName, type TfjsName } from './names.js'
import { importBackend, importCore } from './packages.js'

/** One device per tfjs backend: its tensors serve all that run on it. */
const devices = new WeakMap<KernelBackend, Device>()
const opening = new Map<TfjsName, Promise<Device>>()

/** Opens the chosen backend, or the best one that there is. @throws FEP_BACKEND_MISSING */
export async function openDevice({ backend, wasmPaths }: TfjsBackendOptions): Promise<Device> {
  if (backend !== undefined) return openNamed(backend, wasmPaths)
  const reasons: string[] = []
  for (const name of preferred()) {
    try {
      return await openNamed(name, wasmPaths)
    } catch (error) {
      reasons.push(`${name}: ${(error as Error).message}`)
    }
  }
  throw new FepError('FEP_BACKEND_MISSING', `no tfjs backend runs here. ${reasons.join('; ')}`)
}

/** Opens one backend; what tfjs has registered or running already is used as it is. @throws FEP_BACKEND_MISSING */
export function openNamed(name: TfjsName, wasmPaths?: TfjsBackendOptions['wasmPaths']): Promise<Device> {
  const pending = opening.get(name)
  if (pending) return pending
  const device = open(name, wasmPaths)
    .catch((cause: unknown) => {
      throw cause instanceof FepError ? cause : missing(name, cause)
    })
    .finally(() => opening.delete(name))
  opening.set(name, device)
  return device
}

async function open(name: TfjsName, wasmPaths: TfjsBackendOptions['wasmPaths']): Promise<Device> {
  const tf = await importCore()
  const engine = tf.engine()
  const registry = registryName(name)
  if (!engine.findBackendFactory(registry) || (wasmPaths !== undefined && !engine.registry[registry])) {
    const active = engine.backendName
    const module = await importBackend(name)
    // tfjs-node makes itself the active backend when it loads.
    if (active && engine.backendName !== active) await tf.setBackend(active)
    if (name === 'wasm' && wasmPaths !== undefined) setWasmPaths(module, wasmPaths)
  }
  const backend = await instance(tf, name)
  const known = devices.get(backend)
  if (known) return known
  // What setBackend would do, without changing which backend is active.
  for (const { setupFunc } of tf.getKernelsForBackend(registry)) setupFunc?.(backend)
  const device = deviceOn(tf, name, backend)
  devices.set(backend, device)
  return device
}

/** The running backend, or a new one, which tfjs then knows as if it had made it. */
async function instance(tf: Tfjs, name: TfjsName): Promise<KernelBackend> {
  const engine = tf.engine()
  const registry = registryName(name)
  const running = engine.registry[registry]
  if (running) return running
  const factory = engine.findBackendFactory(registry)
  if (!factory) throw new Error(inNode() ? 'it needs a browser' : 'this browser does not have it')
  const made = await factory()
  // The page may have started it, too, while this waited.
  engine.registry[registry] ??= made
  return engine.registry[registry]
}

function deviceOn(tf: Tfjs, name: TfjsName, backend: KernelBackend): Device {
  switch (name) {
    case 'node':
      return new NodeDevice(tf, backend)
    case 'wasm':
      return new WasmDevice(tf, backend)
    case 'cpu':
      withoutAdvice(tf, backend)
      return new CpuDevice(tf, backend)
    case 'webgl':
      if (!tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED'))
        throw new Error('this graphics card does not compute in single precision')
      return new GpuDevice(tf, name, backend)
    case 'webgpu':
      return new GpuDevice(tf, name, backend)
  }
}

/** The cpu backend advises, at its first write, to install tfjs-node. Here the choice has been made: production mode is silent. */
function withoutAdvice(tf: Tfjs, backend: KernelBackend): void {
  const env = tf.env()
  const production = env.getBool('PROD')
  env.set('PROD', true)
  backend.disposeData(backend.write(new Float32Array(1), [1], 'float32'))
  env.set('PROD', production)
}

function setWasmPaths(module: unknown, paths: NonNullable<TfjsBackendOptions['wasmPaths']>): void {
  const { setWasmPaths } = module as { setWasmPaths(paths: string | Readonly<Record<string, string>>): void }
  setWasmPaths(paths)
}

function missing(name: TfjsName, cause: unknown): FepError {
  const reason = String((cause as { message?: unknown } | undefined)?.message ?? cause).split('\n')[0]
  const browserOnly = inNode() && (name === 'webgl' || name === 'webgpu')
  const install = browserOnly
    ? "Choose 'node', 'wasm' or 'cpu' here"
    : `Install it with: npm install @tensorflow/tfjs-core ${packageOf(name)}`
  return new FepError('FEP_BACKEND_MISSING', `tfjs backend '${name}' does not load: ${reason}. ${install}`, {
    cause,
  })
}
