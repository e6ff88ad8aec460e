/** Claims as data: what a paper says, where our figure is, and the rule that turns both into a verdict. */
import { FepError, schemas, show } from '@fep-moe/core'
import * as v from 'valibot'
import { publishedSchema } from '../results.js'
import type { Published } from '../statistics.js'

/** What became of a claim. */
export type Verdict = 'holds' | 'holds for accuracy only' | 'differs' | 'not decidable' | 'not tested'

/** All verdicts, in the order of a summary. */
export const verdicts = [
  'holds',
  'holds for accuracy only',
  'differs',
  'not decidable',
  'not tested',
] as const

/**
 * When a check passes. `agrees`: ours agrees with `published`. `equals`: within the same tolerance of another figure.
 * `above`, `below`: by more than three standard errors of the difference. `steadier`: less than half the standard deviation of
 * another one over seeds.
 */
export type ClaimRule = 'agrees' | 'equals' | 'above' | 'below' | 'steadier'

/** One comparison. */
export interface ClaimCheck {
  /** What the figure is. A claim that holds in `accuracy` and fails in `mass` holds for accuracy only. Default `other`. */
  readonly measure: 'accuracy' | 'mass' | 'other'
  /**
   * Path of our figure in results: `CONDITION/METRIC` of the summary, `bound:NAME/METRIC`, or `series:CONDITION/NAME@INDEX`,
   * which is one number of the runs' series, over seeds.
   */
  readonly ours: string
  readonly rule: ClaimRule
  /** For `agrees`. */
  readonly published?: Published
  /** For the other rules: another path, or a number. */
  readonly than?: string | number
}

/** One claim. */
export interface Claim {
  /** Unique among all claims: `EXPERIMENT.NAME`. */
  readonly id: string
  /** Where it is made: section, table, abstract. */
  readonly section: string
  /** What is claimed, in our words. */
  readonly statement: string
  /** All must pass for the claim to hold. Empty where nothing measures it. */
  readonly checks: readonly ClaimCheck[]
  /** The verdict of the kept full run. */
  readonly verdict: Verdict
  /** Why, in one sentence. */
  readonly because: string
}

/** `claims/EXPERIMENT.json`. */
export interface ClaimFile {
  readonly experiment: string
  /** The document. */
  readonly source: string
  readonly claims: readonly Claim[]
}

const text = v.pipe(v.string(), v.minLength(1, 'a text that is not empty'))
const path = v.pipe(
  v.string(),
  v.regex(/^[^/]+\/[^/]+$/, 'a path CONDITION/METRIC, bound:NAME/METRIC or series:CONDITION/NAME@INDEX'),
)
const fields = { measure: v.optional(v.picklist(['accuracy', 'mass', 'other']), 'other'), ours: path }
const check = v.variant('rule', [
  v.strictObject({ ...fields, rule: v.literal('agrees'), published: publishedSchema }),
  v.strictObject({
    ...fields,
    rule: v.picklist(['equals', 'above', 'below', 'steadier']),
    than: v.union([path, v.pipe(v.number(), v.finite())]),
  }),
])
const schema = v.strictObject({
  experiment: text,
  source: text,
  claims: v.array(
    v.strictObject({
      id: text,
      section: text,
      statement: text,
      checks: v.array(check),
      verdict: v.picklist(verdicts),
      because: text,
    }),
  ),
})

/**
 * Checks what a file of claims holds.
 * @param what names it in errors, such as its path. Default `claims`
 * @throws FEP_BAD_ARGUMENT naming the path of the first bad field
 */
export function parseClaims(value: unknown, what = 'claims'): ClaimFile {
  const file = schemas.parse(schema, value, what, 'FEP_BAD_ARGUMENT')
  const seen = new Set<string>()
  file.claims.forEach(({ id, checks, verdict }, i) => {
    const refuse = (field: string, given: unknown, accepted: string): never => {
      throw new FepError(
        'FEP_BAD_ARGUMENT',
        `${what}.claims.${i}.${field} is ${show(given)}; accepted: ${accepted}`,
      )
    }
    if (!id.startsWith(`${file.experiment}.`))
      refuse('id', id, `an id that starts with '${file.experiment}.'`)
    if (seen.has(id)) refuse('id', id, 'ids that differ')
    if (checks.length === 0 && verdict !== 'not tested')
      refuse('verdict', verdict, `'not tested' where there are no checks`)
    seen.add(id)
  })
  return file
}
