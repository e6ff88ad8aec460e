/** What a command line asks to be run. */
import { join } from 'node:path'
import { FepError } from '@fep-moe/core'
import {
  type Experiment,
  type ExperimentSettings,
  experiments,
  findExperiment,
  type SettingsOverrides,
} from '@fep-moe/experiments'
import { RESULTS_FOLDER } from '../results-folder.js'

/** One experiment, as it will be run. */
export interface Part {
  readonly experiment: Experiment
  readonly settings: ExperimentSettings
  /** Where its results go. */
  readonly folder: string
}

/** What is run, and where everything goes. */
export interface Plan {
  /** In the order of their tables. */
  readonly parts: readonly Part[]
  /** Of the report over all experiments; null where one was named: its report lies beside its results. */
  readonly folder: string | null
  /** Experiments that take too long to be among all: their names. */
  readonly leftOut: readonly string[]
  /** Of finished runs, unless a flag names another. All experiments share it, so that more seeds add to what is there. */
  readonly cache: string
}

/** Flags that choose. */
export interface PlanFlags {
  readonly all?: boolean
  readonly full?: boolean
  readonly quick?: boolean
  readonly seeds?: readonly number[]
  readonly epochs?: number
  readonly check?: boolean
  readonly out?: string
}

/** Reads the flags that choose. @throws FEP_USAGE, FEP_BAD_ARGUMENT for an unknown experiment */
export function planRuns(name: string | undefined, flags: PlanFlags): Plan {
  refuseContradictions(name, flags)
  const { out } = flags
  if (!flags.all) {
    const experiment = findExperiment(name as string)
    const folder = out ?? join(RESULTS_FOLDER, experiment.name)
    const part = { experiment, settings: experiment.settings(overrides(flags)), folder }
    return { parts: [part], folder: null, leftOut: [], cache: join(out ?? RESULTS_FOLDER, 'cache') }
  }
  const folder = out ?? RESULTS_FOLDER
  const among = experiments.filter(({ amongAll }) => flags.full || amongAll?.seeds !== 0)
  const parts = among.map((experiment) => ({
    experiment,
    settings: settingsAmongAll(experiment, flags),
    folder: join(folder, experiment.name),
  }))
  const leftOut = experiments.filter((experiment) => !among.includes(experiment)).map(({ name }) => name)
  return { parts, folder, leftOut, cache: join(folder, 'cache') }
}

const overrides = ({ seeds, epochs, quick = false }: PlanFlags): SettingsOverrides => ({
  ...(seeds ? { seeds } : {}),
  ...(epochs ? { epochs } : {}),
  quick,
})

/** As many seeds as fit into minutes, unless the user asks for others. */
function settingsAmongAll(experiment: Experiment, flags: PlanFlags): ExperimentSettings {
  const settings = experiment.settings(overrides(flags))
  if (flags.full || flags.quick || flags.seeds) return settings
  const { seeds = settings.seeds.length, conditions } = experiment.amongAll ?? {}
  return experiment.settings({
    ...overrides(flags),
    ...(conditions && { conditions }),
    seeds: settings.seeds.slice(0, seeds),
  })
}

function refuseContradictions(name: string | undefined, { all, full, quick, seeds, check }: PlanFlags): void {
  const refuse = (why: string): never => {
    throw new FepError('FEP_USAGE', why)
  }
  const known = experiments.map((e) => e.name).join(', ')
  if (name === undefined && !all) refuse(`name an experiment: ${known}; or --all for all of them`)
  if (name !== undefined && all) refuse(`--all does not go with the name of an experiment: ${name}`)
  if (full && !all) refuse('--full belongs to --all: one experiment alone is always run with all its seeds')
  if (full && quick) refuse('--full does not go with --quick')
  if (full && seeds) refuse('--full does not go with --seeds: it means the seeds of the papers')
  if (quick && check) refuse('--check cannot judge --quick: a short training is not compared with the paper')
}
