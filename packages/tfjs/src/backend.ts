/** The TensorFlow.js backend. */
import { type Backend, defineBackend, tieredBackend } from '@fep-moe/core'
import { jsBackend, SMALL_PROGRAM } from '@fep-moe/js'
import { capabilitiesOf } from './capabilities.js'
import type { Device } from './device/device.js'
import { checkOptions, type TfjsBackendOptions } from './options.js'
import { createProgram } from './program/program.js'
import { openDevice } from './runtime/open.js'

/**
 * Makes a backend that runs graphs on TensorFlow.js. Its name says which tfjs backend it runs on: `tfjs-node`,
 * `tfjs-wasm`, `tfjs-cpu`, `tfjs-webgl` or `tfjs-webgpu`. What tfjs has registered is used as it is and never removed,
 * and the backend that is active in tfjs stays active. Results are `tf.Tensor`s that feed the next run as they are;
 * dispose them. Programs too small to be worth a call into tfjs run as generated JavaScript.
 * @throws FEP_BACKEND_MISSING where the chosen tfjs backend, or every one, is not installed or does not load;
 * FEP_BAD_ARGUMENT for an unknown option or value
 * @example
 * const backend = await tfjsBackend({ backend: 'wasm' })
 */
export async function tfjsBackend(options: TfjsBackendOptions = {}): Promise<Backend> {
  const device = await openDevice(checkOptions(options))
  const native = backendOn(device)
  return options.smallPrograms === 'native'
    ? native
    : tieredBackend({ small: await jsBackend(), large: native, below: SMALL_PROGRAM })
}

/** The backend on a device, small programs included. */
const backendOn = (device: Device): Backend =>
  defineBackend({
    name: `tfjs-${device.name}`,
    capabilities: capabilitiesOf(device.name),
    compile: (graph) => createProgram(graph, device),
    // Literals go with their programs; the tfjs backend belongs to tfjs.
    dispose: () => undefined,
  })

/** Backend specifier entry: `{ module: '@fep-moe/tfjs', options: { backend } }`. */
export const createBackend = (options?: Readonly<Record<string, unknown>>): Promise<Backend> =>
  tfjsBackend(options as TfjsBackendOptions)
