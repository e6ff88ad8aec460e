/**
 * Weights and checkpoints: safetensors in and out, parameters of PyTorch models by their names, trainings that go on where
 * they stopped. Runs wherever JavaScript runs; files are `@fep-moe/core/node`.
 * @packageDocumentation
 */

export { type Checkpoint, decodeCheckpoint, encodeCheckpoint, type Json } from './checkpoint.js'
export type { StoredDType } from './dtypes.js'
export type { Header, StoredTensor } from './header.js'
export { type ByteSource, openSafetensors, readSafetensors, type SafetensorsFile } from './read.js'
export { mappedName, type NameMap, type ReadParamsOptions, readParams, renameParams } from './state-dict.js'
export { writeSafetensors } from './write.js'
