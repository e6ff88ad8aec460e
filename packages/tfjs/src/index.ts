/**
 * Runs fep-moe graphs on TensorFlow.js, on whatever tfjs backend there is.
 * @packageDocumentation
 */
export { type TfjsAvailability, tfjsBackends } from './available.js'
export { createBackend, tfjsBackend } from './backend.js'
export type { TfjsBackendOptions } from './options.js'
export type { TfjsName } from './runtime/names.js'
export { TfjsTensor } from './tensor.js'
