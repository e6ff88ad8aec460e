/** The results file: its types and its check. */
import { FepError, schemas, show } from '@fep-moe/core'
import * as v from 'valibot'
import type { Metrics } from './metric.js'
import { type Agreement, agree, type Estimate, estimate, type Published, tolerance } from './statistics.js'

/** Where and with what the runs were made. */
export interface Environment {
  /** By package name. */
  readonly versions: Readonly<Record<string, string>>
  readonly node: string
  readonly os: string
  readonly cpu: string
  /** Threads of one run; runs side by side do not count. */
  readonly threads: number
  /** Of the checkout that ran, `-dirty` appended where it had changes; null for an installed package. */
  readonly commit: string | null
}

/** One training run. */
export interface Run {
  readonly experiment: string
  readonly condition: string
  readonly seed: number
  readonly backend: string
  readonly metrics: Readonly<Record<string, number>>
  /** What figures are drawn from, by name: one number per step, per dimension, …; see the experiment. */
  readonly series: Readonly<Record<string, readonly number[]>>
}

/** One figure, ours beside the published one. */
export interface SummaryRow {
  readonly condition: string
  readonly metric: string
  /** null where nothing was published. */
  readonly published: Published | null
  readonly ours: Estimate
  /** ours − published; null where there is nothing to compare, or a quick run that must not be compared. */
  readonly difference: number | null
  /** The difference that still counts as agreement; null where there is none. */
  readonly tolerance: number | null
  /** See {@link agree}; null where `difference` is. */
  readonly agreement: Agreement | null
}

/** A figure that follows from the task alone. */
export interface Bound {
  /** What a gate may see. */
  readonly name: string
  readonly metric: string
  readonly value: number
}

/** `results.json`. */
export interface Results {
  readonly schemaVersion: 2
  /** Name of the experiment. */
  readonly experiment: string
  readonly environment: Environment
  /** What was run: the task, the training, seeds. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly runs: readonly Run[]
  readonly summary: readonly SummaryRow[]
  readonly bounds: readonly Bound[]
}

const finite = v.pipe(v.number(), v.finite())
const estimateFields = {
  mean: finite,
  std: v.nullable(v.pipe(finite, v.minValue(0))),
  n: v.pipe(v.number(), v.integer(), v.minValue(1)),
}

/** A published figure, as results and claims hold it. @internal */
export const publishedSchema = v.strictObject({
  ...estimateFields,
  source: v.picklist(['paper', 'prototype']),
  digits: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(12))),
})

/** One run, as results and the cache hold it. @internal */
export const runSchema = v.strictObject({
  experiment: v.string(),
  condition: v.string(),
  seed: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  backend: v.string(),
  metrics: v.record(v.string(), finite),
  series: v.record(v.string(), v.array(finite)),
})

const schema = v.strictObject({
  schemaVersion: v.literal(2),
  experiment: v.string(),
  environment: v.strictObject({
    versions: v.record(v.string(), v.string()),
    node: v.string(),
    os: v.string(),
    cpu: v.string(),
    threads: v.pipe(v.number(), v.integer(), v.minValue(1)),
    commit: v.nullable(v.string()),
  }),
  settings: v.record(v.string(), v.unknown()),
  runs: v.array(runSchema),
  summary: v.array(
    v.strictObject({
      condition: v.string(),
      metric: v.string(),
      published: v.nullable(publishedSchema),
      ours: v.strictObject(estimateFields),
      difference: v.nullable(finite),
      tolerance: v.nullable(finite),
      agreement: v.nullable(v.picklist(['agrees', 'differs', 'not decidable'])),
    }),
  ),
  bounds: v.array(v.strictObject({ name: v.string(), metric: v.string(), value: finite })),
})

/**
 * Checks what a results file holds.
 * @param what names it in errors, such as its path. Default `results`
 * @throws FEP_BAD_ARGUMENT naming the first bad field
 * @example parseResults(JSON.parse(text)).summary.filter((row) => row.agreement === 'differs')
 */
export function parseResults(value: unknown, what = 'results'): Results {
  return schemas.parse(schema, value, what, 'FEP_BAD_ARGUMENT')
}

/** Checks one run. @throws FEP_BAD_ARGUMENT naming the first bad field */
export function parseRun(value: unknown, what = 'run'): Run {
  return schemas.parse(runSchema, value, what, 'FEP_BAD_ARGUMENT')
}

/** Makes the rows of an experiment. */
export interface Summarizer {
  /** @throws FEP_BAD_ARGUMENT for a metric that the experiment does not define */
  row(condition: string, metric: string, values: readonly number[], published?: Published | null): SummaryRow
}

/** Rows of the metrics given. `compare: false` leaves difference and agreement open. */
export function summarizer(
  metrics: Metrics,
  { compare = true }: { readonly compare?: boolean } = {},
): Summarizer {
  return {
    row: (condition, metric, values, published = null) => {
      const definition = metrics[metric]
      if (!definition) throw new FepError('FEP_BAD_ARGUMENT', `no metric is called ${show(metric)}`)
      const ours = estimate(values)
      const other = compare ? published : null
      return {
        condition,
        metric,
        published,
        ours,
        difference: other ? ours.mean - other.mean : null,
        tolerance: other ? tolerance(ours, other, definition, other.digits) : null,
        agreement: other ? agree(ours, other, definition, other.digits) : null,
      }
    },
  }
}

/** The rows that do not agree. */
export const disagreements = (summary: readonly SummaryRow[]): SummaryRow[] =>
  summary.filter((row) => row.agreement === 'differs')
