/** What an experiment is: plain functions and data. Who starts them, where, and in which process is not its concern. */
import type { Backend } from '@fep-moe/core'
import type { Run, SummaryRow } from './results.js'
import type { Table } from './table.js'

/** Settings that every experiment has. JSON. */
export interface ExperimentSettings {
  /** Independent repetitions; safe integers >= 0. */
  readonly seeds: readonly number[]
  /** Training epochs per run, >= 1. */
  readonly epochs: number
  /** A short run that shows that everything works; its figures are not compared with published ones. */
  readonly quick: boolean
}

/** What a user may change. */
export interface SettingsOverrides {
  readonly seeds?: readonly number[]
  readonly epochs?: number
  /** Default false. */
  readonly quick?: boolean
}

/** One training run. */
export interface Job {
  readonly condition: string
  readonly seed: number
}

/** A published table that can be run again. Jobs are independent of each other and of the order they run in. */
export interface Experiment<S extends ExperimentSettings = ExperimentSettings> {
  /** Short name: `reproduce NAME`. */
  readonly name: string
  readonly title: string
  /** Where it was published. */
  readonly source: string
  readonly conditions: readonly string[]
  /** The published settings with a user's changes. @throws FEP_BAD_CONFIG naming the field */
  settings(overrides?: SettingsOverrides): S
  /** Relative time of a run, to start the longest first. */
  cost(condition: string): number
  /**
   * Trains and scores one condition with one seed.
   * @param onEpoch called after every epoch with their number so far; a promise is waited for
   */
  run(backend: Backend, job: Job, settings: S, onEpoch?: (done: number) => void | Promise<void>): Promise<Run>
  /** Means over seeds beside the published figures, in a fixed order whatever the order of the runs. */
  summarize(runs: readonly Run[], settings: S): SummaryRow[]
  /** The tables to print. */
  report(summary: readonly SummaryRow[], settings: S): Table[]
}
