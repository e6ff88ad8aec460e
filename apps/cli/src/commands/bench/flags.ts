/** Flags that parts of `fep-moe bench` share. */
import type { BackendName } from '../../backends.js'

/** What the command line gives. */
export interface BenchFlags {
  readonly backend: BackendName
  /** Of `train`. */
  readonly experiment: string
  /** Of `train`: names separated by commas. */
  readonly condition?: string
  readonly threads: number
  readonly steps: number
  readonly json?: boolean
  /** A file of a peer's JSON lines. */
  readonly peer?: string
  readonly profile?: boolean
}
