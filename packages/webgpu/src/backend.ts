/** The WebGPU backend. */
import { type Backend, defineBackend, FepError, show, tieredBackend } from '@fep-moe/core'
import { jsBackend, SMALL_PROGRAM } from '@fep-moe/js'
import { capabilitiesOf } from './capabilities.js'
import { compileProgram } from './compile.js'
import { checkOptions, type WebgpuBackendOptions } from './options.js'
import { Device } from './runtime/device.js'
import { Lifetime } from './runtime/lifetime.js'
import { describeAdapter, openDevice } from './runtime/open.js'
import type { PipelineStats } from './runtime/pipelines.js'
import { Usage } from './runtime/usage.js'

const lifetimes = new WeakMap<Backend, Lifetime>()

/**
 * Makes a backend that runs graphs as WGSL kernels: on `navigator.gpu` where there is one, in Node on Dawn, the npm
 * package `webgpu`, an optional peer that is loaded here. Results stay on the device and feed the next run as they are;
 * dispose them. Programs too small to be worth a round trip to it run as generated JavaScript.
 *
 * Where the device is lost, runs and reads that are under way reject with FEP_DEVICE_LOST, and so does every use of a
 * tensor on it. The next run of a program that is fed with host tensors alone opens a new device, compiles itself again
 * there and goes on.
 * @throws FEP_BACKEND_MISSING where the package or an adapter is missing; FEP_DEVICE_LOST where the given device is;
 * FEP_BAD_ARGUMENT for an unknown option or value
 * @example
 * const backend = await webgpuBackend()
 */
export async function webgpuBackend(options: WebgpuBackendOptions = {}): Promise<Backend> {
  const { smallPrograms } = checkOptions(options)
  const lifetime = await openLifetime(options)
  const native = backendOn(lifetime)
  const backend =
    smallPrograms === 'native'
      ? native
      : tieredBackend({ small: await jsBackend(), large: native, below: SMALL_PROGRAM })
  lifetimes.set(backend, lifetime)
  return backend
}

/** Backend specifier entry: `{ module: '@fep-moe/webgpu', options: { powerPreference } }`. */
export const createBackend = (options?: Readonly<Record<string, unknown>>): Promise<Backend> =>
  webgpuBackend(options as WebgpuBackendOptions)

/**
 * How often kernels found their pipeline made. Pipelines are kept per device, by the text of their kernel, whatever
 * program it belongs to; after a loss, counting starts again.
 * @throws FEP_BAD_ARGUMENT for a backend that `webgpuBackend` did not make
 */
export const pipelineStats = (backend: Backend): PipelineStats => lifetimeOf(backend).latest.pipelines.stats()

/** The devices behind a backend. @internal @throws FEP_BAD_ARGUMENT */
export function lifetimeOf(backend: Backend): Lifetime {
  const lifetime = lifetimes.get(backend)
  if (!lifetime)
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `backend is ${show((backend as Partial<Backend> | undefined)?.name)}; accepted: what webgpuBackend returns`,
    )
  return lifetime
}

/** The backend on the devices of a lifetime, small programs included. */
const backendOn = (lifetime: Lifetime): Backend =>
  defineBackend({
    name: 'webgpu',
    capabilities: capabilitiesOf(lifetime.latest.adapter),
    compile: (graph) => compileProgram(graph, lifetime),
    dispose: () => lifetime.dispose(),
  })

async function openLifetime({ device: given, powerPreference }: WebgpuBackendOptions): Promise<Lifetime> {
  const usage = new Usage()
  const open = async (): Promise<Device> => {
    const { gpu, adapter } = await openDevice(powerPreference)
    return new Device(gpu, adapter, false, usage)
  }
  if (!given) return new Lifetime(await open(), usage, open)
  const device = new Device(given, describeAdapter(given.adapterInfo), true, usage)
  // A device that is lost already says so in the next turn.
  await Promise.race([given.lost, Promise.resolve()])
  device.check()
  return new Lifetime(device, usage, undefined)
}
