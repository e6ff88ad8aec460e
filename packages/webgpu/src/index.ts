/**
 * Runs fep-moe graphs on WebGPU: in browsers, and in Node through Dawn.
 * @packageDocumentation
 */
export { createBackend, pipelineStats, webgpuBackend } from './backend.js'
export type { WebgpuBackendOptions } from './options.js'
export type { GpuDevice } from './runtime/api.js'
export type { PipelineStats } from './runtime/pipelines.js'
export { WebgpuTensor } from './tensor.js'
export { type ToWgslOptions, toWgsl } from './to-wgsl.js'
