/** A dispatch program on a device: arena, uniforms, pipelines. */
import { FepError } from '@fep-moe/core'
import type { DispatchProgram } from '../ir/dispatch-program.js'
import { type GpuBuffer, type GpuCommandEncoder, type GpuHandle, USAGE } from './api.js'
import { createBuffer, Problems } from './buffer-pool.js'
import type { Device } from './device.js'
import { budget, submissions } from './submissions.js'
import { WORD } from './words.js'

/** A dispatch, ready to encode. */
interface Step {
  readonly pipeline: GpuHandle
  /** Of its words in the uniform buffer. */
  readonly offsets: [number]
  readonly workgroups: readonly [number, number, number]
  readonly cost: number
}

/** See the file's header. */
export class LoadedProgram {
  private constructor(
    readonly device: Device,
    readonly arena: GpuBuffer,
    private readonly uniforms: GpuBuffer,
    private readonly group: GpuHandle,
    private readonly parts: readonly (readonly Step[])[],
  ) {}

  /**
   * Makes buffers and pipelines, all pipelines at once.
   * @throws FEP_BACKEND_FAILED where a limit is exceeded, memory is short or a kernel does not compile; FEP_DEVICE_LOST
   */
  static async load(program: DispatchProgram, device: Device): Promise<LoadedProgram> {
    const { gpu } = device
    device.check()
    const arenaBytes = checkArena(program, device)
    const compiling = Promise.all(program.dispatches.map((dispatch) => device.pipelines.get(dispatch)))
    const words = layOutWords(program, gpu.limits.minUniformBufferOffsetAlignment)
    const problems = new Problems()
    const { COPY_DST, COPY_SRC, STORAGE, UNIFORM } = USAGE
    const make = (what: string, size: number, usage: number): GpuBuffer =>
      createBuffer(gpu, { size, usage, label: `${what} of '${program.name}'` }, problems)
    const arena = make('arena', arenaBytes, STORAGE | COPY_SRC | COPY_DST)
    const uniforms = make('uniforms', words.bytes, UNIFORM | COPY_DST)
    try {
      await problems.settle()
      const pipelines = await device.call(`compiling '${program.name}'`, compiling)
      device.check()
      let group: GpuHandle | undefined
      device.submit(() => {
        for (const { offset, data } of program.constants)
          if (data.length > 0) gpu.queue.writeBuffer(arena as never, offset * WORD, data as never)
        gpu.queue.writeBuffer(uniforms as never, 0, words.data as never)
        group = gpu.createBindGroup({
          layout: device.groupLayout,
          entries: [
            { binding: 0, resource: { buffer: arena } },
            { binding: 1, resource: { buffer: uniforms, offset: 0, size: words.window } },
          ],
        } as never)
      })
      const steps = program.dispatches.map(
        ({ workgroups, cost }, i): Step => ({
          pipeline: pipelines[i] as GpuHandle,
          offsets: [words.offsets[i] as number],
          workgroups,
          cost,
        }),
      )
      const parts = submissions(steps, budget(device.adapter.software))
      return new LoadedProgram(device, arena, uniforms, group as GpuHandle, parts)
    } catch (error) {
      // Nobody else waits for the pipelines any more.
      compiling.catch(() => undefined)
      arena.destroy()
      uniforms.destroy()
      throw error
    }
  }

  /** Encodes and submits everything, between what `before` and `after` encode. Call it inside `device.submit`. */
  run(before: (encoder: GpuCommandEncoder) => void, after: (encoder: GpuCommandEncoder) => void): void {
    const { gpu } = this.device
    let encoder = gpu.createCommandEncoder()
    before(encoder)
    this.parts.forEach((steps, i) => {
      if (i > 0) {
        gpu.queue.submit([encoder.finish()] as never)
        encoder = gpu.createCommandEncoder()
      }
      this.encode(encoder, steps)
    })
    after(encoder)
    gpu.queue.submit([encoder.finish()] as never)
  }

  dispose(): void {
    this.arena.destroy()
    this.uniforms.destroy()
  }

  /** One pass: the device orders dispatches that touch the same memory. */
  private encode(encoder: GpuCommandEncoder, steps: readonly Step[]): void {
    const pass = encoder.beginComputePass()
    let current: GpuHandle | undefined
    for (const { pipeline, offsets, workgroups } of steps) {
      if (pipeline !== current) pass.setPipeline(pipeline as never)
      current = pipeline
      pass.setBindGroup(0, this.group as never, offsets)
      pass.dispatchWorkgroups(...workgroups)
    }
    pass.end()
  }
}

/** Bytes of the arena. @throws FEP_BACKEND_FAILED where the device cannot bind so many */
function checkArena({ name, arenaWords }: DispatchProgram, { gpu }: Device): number {
  const bytes = Math.max(arenaWords, 4) * WORD
  const { maxBufferSize, maxStorageBufferBindingSize } = gpu.limits
  const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize)
  if (bytes > limit)
    throw new FepError(
      'FEP_BACKEND_FAILED',
      `'${name}' needs ${bytes} bytes at once, and this device binds at most ${limit}; use a smaller batch or shorter ` +
        'sequences',
    )
  return bytes
}

/** All kernels' words in one buffer; each is seen through a window of the same size. */
function layOutWords({ dispatches }: DispatchProgram, alignment: number) {
  const window = Math.max(16, ...new Set(dispatches.map(({ words }) => words.byteLength)))
  let end = 0
  const offsets = dispatches.map(({ words }) => {
    if (words.length === 0) return 0
    const at = end
    end = Math.ceil((at + words.byteLength) / alignment) * alignment
    return at
  })
  const data = new Uint32Array((end + window) / WORD)
  dispatches.forEach(({ words }, i) => data.set(words, (offsets[i] as number) / WORD))
  return { data, offsets, window, bytes: data.byteLength }
}
