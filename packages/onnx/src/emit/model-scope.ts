/** What a whole model shares while it is written. */
import type { LinearScanForm } from '../linear-scan/choose.js'
import type { NameTable } from './names.js'

/** Where the run-time batch size can be read: a dimension of a graph input. */
export interface BatchSource {
  readonly input: string
  readonly axis: number
  readonly factor: number
}

/** What a whole model shares, nested graphs included. */
export interface ModelScope {
  readonly names: NameTable
  /** Nodes are a name space of their own. */
  readonly nodeNames: NameTable
  /** undefined: no input carries the batch, and it counts as 1. */
  readonly batch: BatchSource | undefined
  /** Batch size that lowerings assume when they choose between forms. Results never depend on it. */
  readonly batchHint: number
  /** Threads of the executor, undefined where unknown: some kernels are only safe on one. */
  readonly threads: number | undefined
  /** The form every LinearScan takes instead of the chosen one: for tests and measurements. */
  readonly linearScan: LinearScanForm | undefined
  /** Values known to be zero everywhere, by ONNX name. */
  readonly zeros: Set<string>
  /** Scalar literals, by ONNX name. */
  readonly scalars: Map<string, number>
}
