/** The results file: its types and its check. */
import { schemas } from '@fep-moe/core'
import * as v from 'valibot'
import { agree, type Estimate, estimate, type Published } from './statistics.js'

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
  /** |difference| <= max(.01, 3 √(s₁²/n₁ + s₂²/n₂)); null where `difference` is. */
  readonly agrees: boolean | null
}

/** `results.json`. */
export interface Results {
  readonly schemaVersion: 1
  readonly environment: Environment
  /** What was run: the task, the training, seeds. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly runs: readonly Run[]
  readonly summary: readonly SummaryRow[]
}

const estimateFields = {
  mean: v.pipe(v.number(), v.finite()),
  std: v.nullable(v.pipe(v.number(), v.finite(), v.minValue(0))),
  n: v.pipe(v.number(), v.integer(), v.minValue(1)),
}
const schema = v.strictObject({
  schemaVersion: v.literal(1),
  environment: v.strictObject({
    versions: v.record(v.string(), v.string()),
    node: v.string(),
    os: v.string(),
    cpu: v.string(),
    threads: v.pipe(v.number(), v.integer(), v.minValue(1)),
    commit: v.nullable(v.string()),
  }),
  settings: v.record(v.string(), v.unknown()),
  runs: v.array(
    v.strictObject({
      experiment: v.string(),
      condition: v.string(),
      seed: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
      backend: v.string(),
      metrics: v.record(v.string(), v.pipe(v.number(), v.finite())),
    }),
  ),
  summary: v.array(
    v.strictObject({
      condition: v.string(),
      metric: v.string(),
      published: v.nullable(
        v.strictObject({ ...estimateFields, source: v.picklist(['paper', 'prototype']) }),
      ),
      ours: v.strictObject(estimateFields),
      difference: v.nullable(v.pipe(v.number(), v.finite())),
      agrees: v.nullable(v.boolean()),
    }),
  ),
})

/**
 * Checks what a results file holds.
 * @throws FEP_BAD_ARGUMENT naming the first bad field
 * @example parseResults(JSON.parse(text)).summary.filter((row) => row.agrees === false)
 */
export function parseResults(value: unknown): Results {
  return schemas.parse(schema, value, 'results', 'FEP_BAD_ARGUMENT')
}

/** Makes a summary row. `compare: false` leaves difference and agreement open. */
export function summaryRow(
  condition: string,
  metric: string,
  values: readonly number[],
  published: Published | null,
  { compare = true }: { readonly compare?: boolean } = {},
): SummaryRow {
  const ours = estimate(values)
  const compared = published !== null && compare
  return {
    condition,
    metric,
    published,
    ours,
    difference: compared ? ours.mean - published.mean : null,
    agrees: compared ? agree(ours, published) : null,
  }
}

/** The rows that do not agree. */
export const disagreements = (summary: readonly SummaryRow[]): SummaryRow[] =>
  summary.filter((row) => row.agrees === false)
