/** Results to the host. Reads that are asked for in one turn share a copy, a submission and a mapping. */
import type { GpuBuffer } from './api.js'
import type { Device } from './device.js'

interface Request {
  readonly buffer: GpuBuffer
  readonly bytes: number
  /** Called once the copy is submitted, or never will be: the buffer may change from then on. */
  submitted(): void
  resolve(words: ArrayBuffer): void
  reject(error: unknown): void
}

/** Reads buffers of one device. */
export class Reader {
  private requests: Request[] = []

  constructor(private readonly device: Device) {}

  /**
   * Copies the first `bytes` of a buffer, which must not change until `submitted` is called.
   * @param submitted see {@link Request}
   * @throws FEP_DEVICE_LOST, FEP_DISPOSED, FEP_BACKEND_FAILED
   */
  read(buffer: GpuBuffer, bytes: number, submitted: () => void): Promise<ArrayBuffer> {
    return new Promise((resolve, reject) => {
      if (this.requests.length === 0) queueMicrotask(() => this.flush())
      this.requests.push({ buffer, bytes, submitted, resolve, reject })
    })
  }

  private flush(): void {
    const { maxBufferSize } = this.device.gpu.limits
    let batch: Request[] = []
    let total = 0
    for (const request of this.requests.splice(0)) {
      if (batch.length > 0 && total + request.bytes > maxBufferSize) {
        void this.fetch(batch, total)
        batch = []
        total = 0
      }
      batch.push(request)
      total += request.bytes
    }
    void this.fetch(batch, total)
  }

  /** Settles every request of a batch. */
  private async fetch(batch: readonly Request[], total: number): Promise<void> {
    this.device.usage.enter()
    try {
      const parts = await this.copy(batch, total)
      batch.forEach((request, i) => request.resolve(parts[i] as ArrayBuffer))
    } catch (error) {
      for (const request of batch) request.reject(error)
    } finally {
      this.device.usage.leave()
    }
  }

  private async copy(batch: readonly Request[], total: number): Promise<ArrayBuffer[]> {
    const { device } = this
    let staging: GpuBuffer
    try {
      staging = await device.takeStaging(total)
      device.check()
      device.submit(() => copyInto(device, staging, batch))
    } finally {
      for (const request of batch) request.submitted()
    }
    return device.readBack(staging, total, (mapped) => split(mapped, batch))
  }
}

function copyInto({ gpu }: Device, staging: GpuBuffer, batch: readonly Request[]): void {
  const encoder = gpu.createCommandEncoder()
  let at = 0
  for (const { buffer, bytes } of batch) {
    encoder.copyBufferToBuffer(buffer as never, 0, staging as never, at, bytes)
    at += bytes
  }
  gpu.queue.submit([encoder.finish()] as never)
}

function split(mapped: ArrayBuffer, batch: readonly Request[]): ArrayBuffer[] {
  let at = 0
  return batch.map(({ bytes }) => {
    at += bytes
    return mapped.slice(at - bytes, at)
  })
}
