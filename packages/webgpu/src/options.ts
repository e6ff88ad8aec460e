/** Options of the backend, and their check. */
import { FepError, show } from '@fep-moe/core'
import type { GpuDevice, PowerPreference } from './runtime/api.js'

/** Options of `webgpuBackend`. */
export interface WebgpuBackendOptions {
  /**
   * A device to run on, a `GPUDevice` that the page has already for instance. It stays the caller's: it is not
   * destroyed, its event handlers are left alone, and when it is lost the backend ends. Default: a new device with the
   * adapter's highest limits for buffers, which is replaced where it is lost.
   */
  readonly device?: GpuDevice
  /** Which adapter to prefer where there are several. Default: what the browser or Dawn takes. Not with `device`. */
  readonly powerPreference?: PowerPreference
  /**
   * What runs programs below `SMALL_PROGRAM` operations (`@fep-moe/js`), one step of a small gate for instance:
   * `javascript` (default) takes less time than a round trip to a graphics card; `native` sends everything to WebGPU.
   */
  readonly smallPrograms?: 'javascript' | 'native'
}

const CHOICES = {
  powerPreference: ['low-power', 'high-performance'],
  smallPrograms: ['javascript', 'native'],
} as const

/** @throws FEP_BAD_ARGUMENT */
export function checkOptions(options: WebgpuBackendOptions): WebgpuBackendOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw bad(`webgpuBackend: options are ${show(options)}; expected an object`)
  const { device, powerPreference, smallPrograms, ...unknown } = options
  const [extra] = Object.keys(unknown)
  if (extra !== undefined)
    throw bad(
      `webgpuBackend: unknown option ${show(extra)}; accepted: device, powerPreference, smallPrograms`,
    )
  if (device !== undefined && !isDevice(device))
    throw bad(`webgpuBackend.device is ${show(device)}; accepted: a GPUDevice`)
  for (const [name, value] of Object.entries({ powerPreference, smallPrograms })) {
    const accepted: readonly string[] = CHOICES[name as keyof typeof CHOICES]
    if (value !== undefined && !accepted.includes(value))
      throw bad(
        `webgpuBackend.${name} is ${show(value)}; accepted: ${accepted.map((a) => `'${a}'`).join(', ')}`,
      )
  }
  if (device !== undefined && powerPreference !== undefined)
    throw bad(
      `webgpuBackend.powerPreference is ${show(powerPreference)} beside a device, which has its adapter; accepted: one of both`,
    )
  return options
}

const isDevice = (value: unknown): boolean => {
  const { createBuffer, queue, lost } = (value ?? {}) as Partial<GpuDevice>
  return typeof createBuffer === 'function' && typeof queue === 'object' && typeof lost?.then === 'function'
}

const bad = (message: string) => new FepError('FEP_BAD_ARGUMENT', message)
