/** A WebGPU device with what programs and tensors on it share: pools, pipelines, read backs, and its end. */
import { FepError, type FepErrorCode } from '@fep-moe/core'
import {
  type GpuBuffer,
  type GpuDevice,
  type GpuError,
  type GpuHandle,
  MAP_READ,
  STAGE_COMPUTE,
  USAGE,
} from './api.js'
import { BufferPool, Problems } from './buffer-pool.js'
import type { AdapterDescription } from './open.js'
import { Pace } from './pace.js'
import { Pipelines } from './pipelines.js'
import { Reader } from './reader.js'
import { scoped } from './scopes.js'
import type { Usage } from './usage.js'

/** How long a failed call waits for the news that the device is lost, which may come after the failure; ms. */
const NEWS = 100

/** See the file's header. */
export class Device {
  /** Results of runs. */
  readonly results: BufferPool
  /** What the host maps. */
  readonly staging: BufferPool
  readonly pipelines: Pipelines
  readonly pace: Pace
  /** Of every kernel: the arena, and the kernel's words at an offset. */
  readonly groupLayout: GpuHandle
  readonly reader = new Reader(this)
  private end: { readonly code: FepErrorCode; readonly message: string } | undefined
  private readonly ended: Promise<void>
  /** Resolves when the outcome of every submission so far is known. */
  private settled: Promise<void> = Promise.resolve()

  constructor(
    readonly gpu: GpuDevice,
    readonly adapter: AdapterDescription,
    /** The caller's own: never destroyed here. */
    readonly adopted: boolean,
    /** Reads that are under way are counted there. */
    readonly usage: Usage,
  ) {
    const { COPY_DST, COPY_SRC, MAP_READ: MAPPED } = USAGE
    this.results = new BufferPool(gpu, COPY_SRC | COPY_DST, 'result')
    this.staging = new BufferPool(gpu, MAPPED | COPY_DST, 'read back')
    const layouts = scoped(gpu, ['validation'], () => makeLayouts(gpu))
    this.groupLayout = layouts.value.group
    this.pace = new Pace(gpu.queue)
    this.pipelines = new Pipelines(gpu, layouts.value.pipeline)
    this.watch(layouts.error)
    this.ended = gpu.lost.then(({ reason, message }) => this.stop('FEP_DEVICE_LOST', lost(reason, message)))
    if (!adopted) gpu.addEventListener('uncapturederror', this.uncaptured as never)
  }

  /** False once it is lost, disposed or broken. */
  get isLive(): boolean {
    return this.end === undefined
  }

  /** @throws FEP_DEVICE_LOST, FEP_DISPOSED, FEP_BACKEND_FAILED where it can do nothing any more */
  check(): void {
    if (this.end) throw new FepError(this.end.code, this.end.message)
  }

  /** Encodes and submits; `work` is synchronous. What the device finds wrong later ends it. */
  submit(work: () => void): void {
    this.watch(scoped(this.gpu, ['validation'], work).error)
  }

  /** Awaits a call of the device. @throws as `check`; FEP_BACKEND_FAILED */
  async call<T>(what: string, pending: Promise<T>): Promise<T> {
    try {
      return await pending
    } catch (error) {
      let timer: ReturnType<typeof setTimeout> | undefined
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, NEWS)
      })
      await Promise.race([this.ended, patience])
      clearTimeout(timer)
      this.check()
      if (error instanceof FepError) throw error
      const reason = (error as { message?: unknown } | undefined)?.message || String(error)
      throw new FepError('FEP_BACKEND_FAILED', `WebGPU: ${what}: ${reason}`, { cause: error })
    }
  }

  /** A buffer that the host can map. @throws FEP_BACKEND_FAILED where there is no memory for it */
  async takeStaging(bytes: number): Promise<GpuBuffer> {
    const problems = new Problems()
    const buffer = this.staging.take(bytes, problems)
    try {
      if (problems.any) await problems.settle()
      return buffer
    } catch (error) {
      this.staging.drop(buffer)
      throw error
    }
  }

  /**
   * Maps a buffer of the staging pool that earlier submissions fill.
   * @param use reads the mapped bytes before it returns
   * @throws as `call`
   */
  async readBack<R>(buffer: GpuBuffer, bytes: number, use: (mapped: ArrayBuffer) => R): Promise<R> {
    try {
      await this.call('reading back', buffer.mapAsync(MAP_READ, 0, bytes))
      await this.settled
      this.check()
      const result = use(buffer.getMappedRange(0, bytes))
      buffer.unmap()
      this.staging.give(buffer)
      return result
    } catch (error) {
      this.staging.drop(buffer)
      throw error
    }
  }

  /** Frees everything that it made; destroys the device itself unless it was adopted. */
  dispose(): void {
    this.stop('FEP_DISPOSED', 'the backend of this tensor was disposed; read it before')
    if (!this.adopted) this.gpu.destroy()
  }

  /** Something ran that was not valid, so no number on the device can be trusted. */
  private fail(message: string): void {
    if (!this.isLive) return
    this.stop('FEP_BACKEND_FAILED', `WebGPU reports an error: ${message}`)
    if (!this.adopted) this.gpu.destroy()
  }

  /** What no scope caught: an internal error of the runtime. */
  private readonly uncaptured = (event: { readonly error: GpuError; preventDefault?(): void }): void => {
    // Otherwise it is printed as well.
    event.preventDefault?.()
    this.fail(event.error.message)
  }

  private watch(error: Promise<GpuError | null>): void {
    this.settled = error.then((found) => {
      if (found) this.fail(found.message)
    })
  }

  private stop(code: FepErrorCode, message: string): void {
    if (this.end) return
    this.end = { code, message }
    this.results.dispose()
    this.staging.dispose()
  }
}

const lost = (reason: string, message: string): string =>
  `the WebGPU device is lost (${[reason, message].filter(Boolean).join(': ')}), and with it every tensor on it`

function makeLayouts(gpu: GpuDevice): { readonly group: GpuHandle; readonly pipeline: GpuHandle } {
  const entries = [
    { binding: 0, visibility: STAGE_COMPUTE, buffer: { type: 'storage' } },
    { binding: 1, visibility: STAGE_COMPUTE, buffer: { type: 'uniform', hasDynamicOffset: true } },
  ]
  const group = gpu.createBindGroupLayout({ entries } as never)
  return { group, pipeline: gpu.createPipelineLayout({ bindGroupLayouts: [group] } as never) }
}
