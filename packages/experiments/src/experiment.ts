/** What an experiment is: plain functions and data. Who starts them, where, and in which process is not its concern. */
import type { Backend } from '@fep-moe/core'
import type { Figure } from './figure.js'
import type { Metrics } from './metric.js'
import type { Bound, Run, SummaryRow } from './results.js'
import type { Table } from './table.js'

/** Settings that every experiment has. JSON. */
export interface ExperimentSettings {
  /** Independent repetitions; safe integers >= 0. */
  readonly seeds: readonly number[]
  /** Training epochs per run, >= 1. */
  readonly epochs: number
  /** A short run that shows that everything works; its figures are not compared with published ones. */
  readonly quick: boolean
  /** Those that run, where an experiment can do without some. Default: all. */
  readonly conditions?: readonly string[]
}

/** What a user may change. */
export interface SettingsOverrides {
  readonly seeds?: readonly number[]
  /** Of experiments that can do without some. Default: all. */
  readonly conditions?: readonly string[]
  readonly epochs?: number
  /** Default false. */
  readonly quick?: boolean
}

/** One training run. */
export interface Job {
  readonly condition: string
  readonly seed: number
}

/** Everything that was found: what tables, figures and claims are made of. */
export interface Outcome<S extends ExperimentSettings = ExperimentSettings> {
  readonly settings: S
  readonly runs: readonly Run[]
  readonly summary: readonly SummaryRow[]
  readonly bounds: readonly Bound[]
}

/**
 * A published table that can be run again. Jobs are independent of each other and of the order they run in. The command,
 * its cache, the report and the claims know nothing of an experiment but this; its claims are in `claims/NAME.json`.
 */
export interface Experiment<S extends ExperimentSettings = ExperimentSettings> {
  /** Short name: `reproduce NAME`, `claims/NAME.json`. */
  readonly name: string
  readonly title: string
  /** Where it was published: document, section, tables. */
  readonly source: string
  /** Every metric that runs and the summary name. */
  readonly metrics: Metrics
  readonly conditions: readonly string[]
  /**
   * What it runs among all experiments, where not everything is asked for: so many of the published seeds, and the
   * conditions named. It keeps them within minutes together. Default: all. With 0 seeds it runs only by its name, or where
   * everything is asked for.
   */
  readonly amongAll?: { readonly seeds: number; readonly conditions?: readonly string[] }
  /** False where a run trains nothing, and there is no step to time. Default true. */
  readonly trains?: boolean
  /** The published settings with a user's changes. @throws FEP_BAD_CONFIG naming the field */
  settings(overrides?: SettingsOverrides): S
  /** Checks settings that were read from a file. @throws FEP_BAD_CONFIG naming the field */
  restore(settings: unknown): S
  /**
   * About how many seconds a run with the published settings takes on one core, to start the longest first among the runs
   * of all experiments. Only relations matter.
   */
  cost(condition: string): number
  /**
   * Trains and scores one condition with one seed. The result depends on nothing but the job, the backend and the
   * settings without `seeds`: that is what a finished run is kept under.
   * @param onEpoch called after every epoch with their number so far; a promise is waited for
   */
  run(backend: Backend, job: Job, settings: S, onEpoch?: (done: number) => void | Promise<void>): Promise<Run>
  /** Means over seeds beside the published figures, in a fixed order whatever the order of the runs. */
  summarize(runs: readonly Run[], settings: S): SummaryRow[]
  /** What the task alone allows, by arithmetic. */
  bounds(settings: S): Bound[]
  /** The tables to print, the published one first. */
  tables(outcome: Outcome<S>): Table[]
  /** The figures of a report. */
  figures(outcome: Outcome<S>): Figure[]
}
