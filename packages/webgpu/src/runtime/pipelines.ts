/** Compute pipelines of one device, kept by the text of their kernel: programs that share a kernel share its pipeline. */
import { FepError } from '@fep-moe/core'
import type { Dispatch } from '../ir/dispatch-program.js'
import type { GpuDevice, GpuHandle } from './api.js'
import { scoped } from './scopes.js'

/** Pipelines that a device keeps; the least recently used goes first. Programs keep those that they run. */
const KEPT = 1024

/** What a device's pipelines were asked for; see `pipelineStats`. */
export interface PipelineStats {
  /** Pipelines that were made. */
  readonly created: number
  /** Kernels that found theirs made. */
  readonly hits: number
  /** hits / (hits + created); 0 before the first kernel. */
  readonly hitRate: number
  /** Pipelines that wait for their next use, at most 1,024. */
  readonly kept: number
}

/** A cache of pipelines. */
export class Pipelines {
  private readonly byText = new Map<string, Promise<GpuHandle>>()
  private created = 0
  private hits = 0

  constructor(
    private readonly gpu: GpuDevice,
    private readonly layout: GpuHandle,
    private readonly capacity = KEPT,
  ) {}

  /** The pipeline of a kernel, made on its first use. @throws FEP_BACKEND_FAILED with what the compiler said */
  get({ wgsl, label }: Pick<Dispatch, 'wgsl' | 'label'>): Promise<GpuHandle> {
    const known = this.byText.get(wgsl)
    if (known) {
      this.hits++
      // The last one asked for is the last one to go.
      this.byText.delete(wgsl)
      this.byText.set(wgsl, known)
      return known
    }
    this.created++
    const made = this.make(wgsl, label)
    this.byText.set(wgsl, made)
    made.catch(() => this.byText.delete(wgsl))
    for (const oldest of this.byText.keys()) {
      if (this.byText.size <= this.capacity) break
      this.byText.delete(oldest)
    }
    return made
  }

  stats(): PipelineStats {
    const { created, hits } = this
    return { created, hits, hitRate: hits === 0 ? 0 : hits / (hits + created), kept: this.byText.size }
  }

  private async make(code: string, label: string): Promise<GpuHandle> {
    // The device reports a bad module to the scope and to the pipeline; the pipeline's rejection is the one that counts.
    const { value: module } = scoped(this.gpu, ['validation'], () =>
      this.gpu.createShaderModule({ code, label }),
    )
    const compute = { module, entryPoint: 'main' }
    try {
      return await this.gpu.createComputePipelineAsync({ label, layout: this.layout, compute } as never)
    } catch (cause) {
      const { messages } = await module.getCompilationInfo().catch(() => ({ messages: [] }))
      const lines = [...messages]
        .filter(({ type }) => type === 'error')
        .map(({ lineNum, linePos, message }) => `${lineNum}:${linePos} ${message}`)
      const reason =
        lines.length > 0 ? lines.join('\n') : ((cause as { message?: unknown })?.message ?? cause)
      throw new FepError('FEP_BACKEND_FAILED', `kernel '${label}' does not compile: ${reason}`, { cause })
    }
  }
}
