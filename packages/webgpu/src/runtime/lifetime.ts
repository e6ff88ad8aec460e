/** The device of a backend, and its successor where it is lost. */
import { FepError } from '@fep-moe/core'
import type { Device } from './device.js'
import type { Usage } from './usage.js'

/** See the file's header. */
export class Lifetime {
  private opening: Promise<Device> | undefined
  private disposed = false

  constructor(
    private current: Device,
    /** What still needs the device. */
    readonly usage: Usage,
    /** Opens a successor; undefined where the device is the caller's. */
    private readonly reopen: (() => Promise<Device>) | undefined,
  ) {}

  /** The present device, which may have ended. */
  get latest(): Device {
    return this.current
  }

  /**
   * A device that works: the present one, or where that is lost a new one.
   * @throws FEP_DISPOSED; FEP_DEVICE_LOST where the lost device was the caller's, or no new one can be had
   */
  device(): Promise<Device> {
    if (this.disposed)
      return Promise.reject(new FepError('FEP_DISPOSED', 'this backend was disposed; create a new one'))
    if (this.current.isLive) return Promise.resolve(this.current)
    this.opening ??= this.successor().finally(() => {
      this.opening = undefined
    })
    return this.opening
  }

  /** Waits for what is under way, then frees the device. */
  async dispose(): Promise<void> {
    this.disposed = true
    await this.opening?.catch(() => undefined)
    await this.usage.idle()
    this.current.dispose()
  }

  private async successor(): Promise<Device> {
    if (!this.reopen) {
      this.current.check()
      throw new FepError('FEP_INTERNAL', 'a live device needs no successor')
    }
    try {
      this.current = await this.reopen()
      return this.current
    } catch (cause) {
      throw new FepError(
        'FEP_DEVICE_LOST',
        `the WebGPU device is lost and no new one can be opened: ${(cause as Error).message}`,
        { cause },
      )
    }
  }
}
