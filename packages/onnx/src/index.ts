/**
 * fep-moe graphs as ONNX models, and a backend that runs them on ONNX Runtime.
 * @packageDocumentation
 */
export { createBackend, type OnnxBackendOptions, onnxBackend } from './backend.js'
export { type NodeTime, type Profile, type ProfileOptions, profile } from './profile.js'
export { IR_VERSION, OPSET, type ToOnnxOptions, toOnnx } from './to-onnx.js'
