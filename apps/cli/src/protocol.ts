/** What a worker process is told and what it sends. Plain JSON. */
import type { ExperimentSettings, Job } from '@fep-moe/experiments'
import type { BackendName } from './backends.js'

/** One run. */
export interface Task {
  readonly experiment: string
  readonly settings: ExperimentSettings
  readonly job: Job
  readonly backend: BackendName
  readonly threads: number
}

/** Sent now and then while a run goes on: the share of its epochs that is done, 0..1. */
export interface TaskProgress {
  readonly share: number
}
