/**
 * fep-moe graphs as ONNX models, and a backend that runs them on ONNX Runtime.
 * @packageDocumentation
 */
export { createBackend, onnxBackend } from './node.js'
export type { OnnxBackendOptions } from './options.js'
export { type NodeTime, type Profile, type ProfileOptions, profile } from './profile.js'
export type { OnnxRuntime, OnnxRuntimeName, OnnxWasmPaths } from './runtime/runtime.js'
export { IR_VERSION, OPSET, type ToOnnxOptions, toOnnx } from './to-onnx.js'
