/** What a report shows, whatever it is written in. */
import type { ClaimFile } from '../claims/claim.js'
import { type JudgedClaim, judgeClaims } from '../claims/judge.js'
import type { Experiment, ExperimentSettings } from '../experiment.js'
import { findExperiment } from '../experiments.js'
import type { Figure } from '../figure.js'
import type { Results } from '../results.js'
import type { Table } from '../table.js'

/** One experiment's part. */
export interface Report {
  readonly name: string
  readonly title: string
  /** Where it was published, and what is less than the published experiment: `…; one seed`. */
  readonly source: string
  readonly results: Results
  readonly tables: readonly Table[]
  readonly figures: readonly Figure[]
  readonly claims: readonly JudgedClaim[]
}

/**
 * Makes a report of results, fresh or read from a file.
 * @throws FEP_BAD_ARGUMENT for results of an unknown experiment, FEP_BAD_CONFIG for settings that are not its own
 */
export function makeReport(results: Results, files: readonly ClaimFile[]): Report {
  const experiment = findExperiment(results.experiment)
  const settings: ExperimentSettings = experiment.restore(results.settings)
  const outcome = { ...results, settings }
  const file = files.find((f) => f.experiment === experiment.name)
  const label = lessLabel(settings, experiment)
  const [main, ...others] = experiment.tables(outcome)
  return {
    name: experiment.name,
    title: experiment.title,
    source: label ? `${experiment.source}; ${label}` : experiment.source,
    results,
    tables: main ? [label ? { ...main, title: `${main.title} (${label})` } : main, ...others] : others,
    figures: experiment.figures(outcome),
    claims: file ? judgeClaims(file, results, experiment.metrics) : [],
  }
}

/** What a reader must know of results from less than was published: nobody takes one run for five. */
function lessLabel({ seeds, conditions, quick }: ExperimentSettings, experiment: Experiment): string | null {
  if (quick) return null
  const published = experiment.settings().seeds.length
  const left = experiment.conditions.filter((c) => !(conditions ?? experiment.conditions).includes(c))
  const parts = [
    ...(seeds.length >= published
      ? []
      : [seeds.length === 1 ? 'one seed' : `${seeds.length} seeds of ${published}`]),
    ...(left.length === 0 ? [] : [`without ${left.join(', ')}`]),
  ]
  return parts.join(', ') || null
}

/** The environment in words, label and text. */
export function environmentLines({ environment, settings, runs }: Results): [string, string][] {
  const seeds = Array.isArray(settings.seeds) ? settings.seeds.join(', ') : 'unknown'
  const { versions, node, os, cpu, threads, commit } = environment
  return [
    ['backend', [...new Set(runs.map((run) => run.backend))].join(', ')],
    ['seeds', seeds],
    ['runs', String(runs.length)],
    ['processor', `${cpu}; ${threads} ${threads === 1 ? 'thread' : 'threads'} per run`],
    ['system', `${os}, Node ${node}`],
    [
      'versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    ...(commit === null ? [] : [['commit', commit] as [string, string]]),
    ['spread', '± is the sample standard deviation over seeds'],
  ]
}

/** `12 hold, 9 hold for accuracy only, …`, in a fixed order. */
export function countVerdicts(claims: readonly JudgedClaim[]): string {
  const words = [
    ['holds', 'hold'],
    ['holds for accuracy only', 'hold for accuracy only'],
    ['differs', 'differ'],
    ['not decidable', 'not decidable'],
    ['not tested', 'not tested'],
    [null, 'without a verdict'],
  ] as const
  return words
    .map(([verdict, word]) => [claims.filter((claim) => claim.verdict === verdict).length, word] as const)
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(', ')
}
