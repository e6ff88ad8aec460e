/** Flags that parts of `fep-moe bench` share. */
import type { BackendName } from '../../backends.js'
import type { TrainableName } from '../../bench/trainings.js'

/** What the command line gives. */
export interface BenchFlags {
  readonly backend: BackendName
  /** Of `train`. */
  readonly experiment: TrainableName
  /** Of `train`: names separated by commas. */
  readonly condition?: string
  readonly threads: number
  readonly steps: number
  readonly json?: boolean
  readonly profile?: boolean
}
