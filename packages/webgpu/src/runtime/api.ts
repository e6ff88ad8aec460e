/**
 * The part of WebGPU that this package uses. TypeScript's DOM library and `@webgpu/types` declare the same names
 * differently, and a Node project need have neither; what follows fits both, and the objects of Dawn and of browsers.
 * Names and meanings: W3C WebGPU, § in the comments.
 */

/** GPUError (§22). */
export interface GpuError {
  readonly message: string
}

/** GPUBuffer (§5). */
export interface GpuBuffer {
  readonly size: number
  mapAsync(mode: number, offset?: number, size?: number): Promise<unknown>
  getMappedRange(offset?: number, size?: number): ArrayBuffer
  unmap(): unknown
  destroy(): unknown
}

/** A handle that is only passed back: a pipeline, a layout, a bind group, a command buffer. */
export interface GpuHandle {
  readonly label: string
}

/** GPUShaderModule (§9.1). */
export interface GpuShaderModule extends GpuHandle {
  getCompilationInfo(): Promise<{
    readonly messages: Iterable<{
      readonly type: string
      readonly message: string
      readonly lineNum: number
      readonly linePos: number
    }>
  }>
}

/** GPUComputePassEncoder (§16.1). */
export interface GpuComputePass {
  setPipeline(pipeline: never): unknown
  setBindGroup(index: number, group: never, dynamicOffsets: number[]): unknown
  dispatchWorkgroups(x: number, y?: number, z?: number): unknown
  end(): unknown
}

/** GPUCommandEncoder (§13.3). */
export interface GpuCommandEncoder {
  beginComputePass(): GpuComputePass
  copyBufferToBuffer(source: never, from: number, target: never, to: number, bytes: number): unknown
  finish(): GpuHandle
}

/** GPUQueue (§19). */
export interface GpuQueue {
  submit(commands: never): unknown
  writeBuffer(buffer: never, offset: number, data: never, from?: number, size?: number): unknown
  onSubmittedWorkDone(): Promise<unknown>
}

/** GPUAdapterInfo (§4.3). */
export interface GpuAdapterInfo {
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
  readonly isFallbackAdapter?: boolean
}

/** The GPUSupportedLimits (§3.6.2) that matter here. */
export interface GpuLimits {
  readonly maxBufferSize: number
  readonly maxStorageBufferBindingSize: number
  readonly minUniformBufferOffsetAlignment: number
  readonly maxComputeWorkgroupsPerDimension: number
  readonly maxComputeInvocationsPerWorkgroup: number
  readonly maxComputeWorkgroupStorageSize: number
}

/** A WebGPU device (GPUDevice, §4.4): of a browser, of Dawn, or of anything else that follows the standard. */
export interface GpuDevice {
  readonly limits: GpuLimits
  readonly queue: GpuQueue
  readonly adapterInfo?: GpuAdapterInfo
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>
  /** Memory of the device, zeros. */
  createBuffer(descriptor: { size: number; usage: number; label?: string }): GpuBuffer
  /** Which kinds of resources a kernel is given. */
  createBindGroupLayout(descriptor: never): GpuHandle
  /** The bind group layouts of a pipeline. */
  createPipelineLayout(descriptor: never): GpuHandle
  /** The resources that a kernel is given. */
  createBindGroup(descriptor: never): GpuHandle
  /** Compiles WGSL. */
  createShaderModule(descriptor: { code: string; label?: string }): GpuShaderModule
  /** Makes a kernel; rejects where it is not valid. */
  createComputePipelineAsync(descriptor: never): Promise<GpuHandle>
  /** Records commands for a submission. */
  createCommandEncoder(): GpuCommandEncoder
  /** Opens a scope that takes the errors of what follows. */
  pushErrorScope(filter: 'validation' | 'out-of-memory' | 'internal'): unknown
  /** Closes the innermost scope: its first error, or null. */
  popErrorScope(): Promise<GpuError | null>
  /** Listens for errors that no scope took. */
  addEventListener(type: 'uncapturederror', listener: never): void
  /** Frees the device and all its memory. */
  destroy(): unknown
}

/** GPUAdapter (§4.3). */
export interface GpuAdapter {
  readonly info?: GpuAdapterInfo
  readonly limits: GpuLimits
  requestDevice(descriptor: never): Promise<GpuDevice>
}

/** GPU (§4.2). */
export interface Gpu {
  requestAdapter(options?: { powerPreference?: PowerPreference }): Promise<GpuAdapter | null>
}

/** GPUPowerPreference (§4.2). */
export type PowerPreference = 'low-power' | 'high-performance'

/** GPUBufferUsage (§5.1.1). The namespace object is a global in browsers only. */
export const USAGE = { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128 } as const

/** GPUMapMode.READ (§5.4). */
export const MAP_READ = 1

/** GPUShaderStage.COMPUTE (§9). */
export const STAGE_COMPUTE = 4
