/** Flags that parts of `fep-moe bench` share. */
import type { BackendName } from '../../backends.js'

/** What the command line gives. */
export interface BenchFlags {
  readonly backend: BackendName
  readonly condition?: readonly string[]
  readonly threads: number
  readonly steps: number
  readonly json?: boolean
  readonly profile?: boolean
}
