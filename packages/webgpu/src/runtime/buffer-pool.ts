/** Buffers of one usage, reused by size class: making and destroying one costs more than a small run. */
import { FepError } from '@fep-moe/core'
import type { GpuBuffer, GpuDevice, GpuError } from './api.js'
import { scoped } from './scopes.js'

/** Bytes that wait in a pool at most; what comes back beyond that is destroyed. */
const KEPT = 64 * 2 ** 20

/** The size a buffer gets: a multiple of 256, and of an eighth of the power of two below, so at most 1/8 is unused. */
export function sizeClass(bytes: number): number {
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(Math.max(bytes, 1))) - 3))
  return Math.ceil(Math.max(bytes, 1) / step) * step
}

/** What a pool holds, for tests. */
export interface PoolState {
  /** Buffers that exist: handed out and waiting. */
  readonly buffers: number
  /** Their bytes. */
  readonly bytes: number
  /** Of the bytes, those that wait. */
  readonly waiting: number
}

/** A pool of one device. */
export class BufferPool {
  private readonly free = new Map<number, GpuBuffer[]>()
  private readonly all = new Set<GpuBuffer>()
  private bytes = 0
  private waiting = 0

  constructor(
    private readonly gpu: GpuDevice,
    private readonly usage: number,
    private readonly label: string,
    /** Bytes that may wait. */
    private readonly kept = KEPT,
  ) {}

  /**
   * A buffer of at least `bytes`, its contents unspecified.
   * @param problems gets the outcome of making it, where it is made
   */
  take(bytes: number, problems: Problems): GpuBuffer {
    const rounded = sizeClass(bytes)
    const size = rounded > this.gpu.limits.maxBufferSize ? bytes : rounded
    const known = this.free.get(size)?.pop()
    if (known) {
      this.waiting -= size
      return known
    }
    const buffer = createBuffer(this.gpu, { size, usage: this.usage, label: this.label }, problems)
    this.all.add(buffer)
    this.bytes += size
    return buffer
  }

  /** Gives a buffer back. The device finishes earlier work with it before any later one. */
  give(buffer: GpuBuffer): void {
    if (!this.all.has(buffer)) return
    const { size } = buffer
    if (this.waiting + size > this.kept) {
      this.drop(buffer)
      return
    }
    const free = this.free.get(size)
    if (free) free.push(buffer)
    else this.free.set(size, [buffer])
    this.waiting += size
  }

  /** Destroys a buffer that was handed out: one that is broken, or that nobody needs again. */
  drop(buffer: GpuBuffer): void {
    if (!this.all.delete(buffer)) return
    this.bytes -= buffer.size
    buffer.destroy()
  }

  state(): PoolState {
    return { buffers: this.all.size, bytes: this.bytes, waiting: this.waiting }
  }

  /** Destroys every buffer, those that are out as well. */
  dispose(): void {
    for (const buffer of this.all) buffer.destroy()
    this.all.clear()
    this.free.clear()
    this.bytes = 0
    this.waiting = 0
  }
}

/** Collects what went wrong while buffers were made, which a device tells later. */
export class Problems {
  private readonly pending: Promise<FepError | undefined>[] = []

  add(what: string, error: Promise<GpuError | null>): void {
    this.pending.push(
      error.then((found) =>
        found ? new FepError('FEP_BACKEND_FAILED', `WebGPU: ${what}: ${found.message}`) : undefined,
      ),
    )
  }

  /** False where every buffer was there already. */
  get any(): boolean {
    return this.pending.length > 0
  }

  /** Waits until all outcomes are known. @throws FEP_BACKEND_FAILED for the first buffer that could not be made */
  async settle(): Promise<void> {
    for (const problem of await Promise.all(this.pending)) if (problem) throw problem
  }
}

/** Makes a buffer; where memory is short, `problems` learns of it. */
export function createBuffer(
  gpu: GpuDevice,
  descriptor: { readonly size: number; readonly usage: number; readonly label: string },
  problems: Problems,
): GpuBuffer {
  const { value, error } = scoped(gpu, ['validation', 'out-of-memory'], () => gpu.createBuffer(descriptor))
  problems.add(`no memory for ${descriptor.size} bytes (${descriptor.label})`, error)
  return value
}
