/** From options to a device: the `GPU` object, an adapter, its highest limits for buffers. */
import { FepError } from '@fep-moe/core'
import type { Gpu, GpuAdapterInfo, GpuDevice, PowerPreference } from './api.js'
import { dawn, holdForever } from './dawn.js'

/** A device and the adapter that it came from. */
export interface OpenedDevice {
  readonly gpu: GpuDevice
  readonly adapter: AdapterDescription
}

/** What is known about an adapter. */
export interface AdapterDescription {
  /** As the driver says it, `SwiftShader driver 5.0.0` for instance; undefined where it says nothing. */
  readonly name: string | undefined
  /** True where a processor does the work. */
  readonly software: boolean
}

const inNode = (): boolean =>
  typeof process !== 'undefined' && typeof process.versions?.node === 'string' && !('document' in globalThis)

/** The page's `GPU` object, a polyfilled one, or Dawn's. @throws FEP_BACKEND_MISSING */
async function findGpu(): Promise<Gpu> {
  const given = (globalThis as { navigator?: { gpu?: Gpu } }).navigator?.gpu
  if (given) return holdForever(given)
  if (inNode()) return dawn()
  throw new FepError(
    'FEP_BACKEND_MISSING',
    'this browser has no WebGPU here (navigator.gpu is missing): it needs a secure context (https or localhost), and a ' +
      'browser that has it switched on',
  )
}

/**
 * Opens a device on the best adapter.
 * @param find where the `GPU` object comes from, in tests
 * @throws FEP_BACKEND_MISSING
 */
export async function openDevice(
  powerPreference: PowerPreference | undefined,
  find: () => Promise<Gpu> = findGpu,
): Promise<OpenedDevice> {
  const gpu = await find()
  const adapter = await gpu.requestAdapter(powerPreference ? { powerPreference } : {})
  if (!adapter)
    throw new FepError(
      'FEP_BACKEND_MISSING',
      inNode()
        ? 'WebGPU finds no adapter: it needs a graphics card with a driver for Vulkan, Direct3D 12 or Metal. On Linux ' +
            'without one, a software driver (SwiftShader) does: VK_ICD_FILENAMES names its .json file, LD_LIBRARY_PATH ' +
            'the folder of libvulkan.so.1, both set before Node starts'
        : 'WebGPU finds no adapter: the browser has blocked this graphics card or its driver',
    )
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits
  try {
    // Only buffers may be larger than the standard's defaults: kernels stay the same text on every device.
    const descriptor = { requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } }
    const device = await adapter.requestDevice(descriptor as never)
    return { gpu: device, adapter: describeAdapter(adapter.info) }
  } catch (cause) {
    const reason = (cause as { message?: unknown })?.message ?? cause
    throw new FepError('FEP_BACKEND_MISSING', `WebGPU opens no device: ${reason}`, { cause })
  }
}

/** Rasterizers that run on a processor, by the names that their drivers give. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i

/** What an adapter says about itself. */
export function describeAdapter(info: GpuAdapterInfo | undefined): AdapterDescription {
  if (!info) return { name: undefined, software: false }
  const { vendor, architecture, device, description } = info
  const words = [vendor, architecture, device].filter(Boolean).join(' ')
  return {
    name: description || words || undefined,
    software: info.isFallbackAdapter === true || SOFTWARE.test(`${words} ${description}`),
  }
}
