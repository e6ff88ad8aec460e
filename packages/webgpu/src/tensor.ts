/** Results of a run, in buffers of the device. */
import { allocate, type DeviceTensor, type DType, FepError, type TensorData } from '@fep-moe/core'
import type { GpuBuffer } from './runtime/api.js'
import type { Device } from './runtime/device.js'
import { fromWords, WORD } from './runtime/words.js'

/** A result on a WebGPU device. Dispose it when it is read and feeds no run any more: no garbage collector frees it. */
export class WebgpuTensor implements DeviceTensor {
  private disposed = false
  /** Reads and runs that have not been submitted: until then the buffer must not change. */
  private holders = 0

  /** @internal */
  constructor(
    readonly dtype: DType,
    /** Dimensions; row-major. */
    readonly shape: readonly number[],
    /** Elements. */
    readonly count: number,
    /** @internal Undefined where there is no element. */
    readonly buffer: GpuBuffer | undefined,
    /** @internal */
    readonly device: Device,
  ) {}

  /**
   * Copies the elements to the host. Reads that start in one turn share a round trip.
   * @throws FEP_DISPOSED, FEP_DEVICE_LOST, FEP_BACKEND_FAILED
   */
  async read(): Promise<TensorData> {
    this.alive()
    if (!this.buffer) return allocate(this.dtype, 0)
    return fromWords(this.dtype, await this.device.reader.read(this.buffer, this.count * WORD, this.hold()))
  }

  /** Frees the device memory. A read that is under way still resolves. Idempotent. */
  dispose(): void {
    if (this.disposed) return
    this.disposed = true
    this.release()
  }

  /** @internal @throws FEP_DISPOSED, FEP_DEVICE_LOST, FEP_BACKEND_FAILED */
  alive(): this {
    if (this.disposed)
      throw new FepError('FEP_DISPOSED', 'this tensor was disposed; read it before, or run again')
    this.device.check()
    return this
  }

  /**
   * Keeps the buffer as it is, whatever becomes of the tensor, until the result is called.
   * @internal
   */
  hold(): () => void {
    this.holders++
    return () => {
      this.holders--
      if (this.disposed) this.release()
    }
  }

  private release(): void {
    if (this.buffer && this.holders === 0) this.device.results.give(this.buffer)
  }
}
