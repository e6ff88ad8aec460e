/** Verdicts: claims held against results. */
import type { Metrics } from '../metric.js'
import type { Results } from '../results.js'
import { agree, type Estimate, estimate, tolerance } from '../statistics.js'
import { formatEstimate } from '../table.js'
import type { Claim, ClaimCheck, ClaimFile, Verdict } from './claim.js'

/** One comparison made. */
export interface JudgedCheck extends ClaimCheck {
  /** Our figure, a bound with a spread of 0; null where the results have none. */
  readonly value: Estimate | null
  readonly outcome: 'passes' | 'fails' | 'not decidable' | 'missing'
  /** The comparison in words and figures. */
  readonly text: string
}

/** A claim with its verdict. */
export interface JudgedClaim extends Omit<Claim, 'checks' | 'verdict'> {
  readonly experiment: string
  readonly source: string
  /** The verdict of the kept full run, as the claim's file says. */
  readonly recorded: Verdict
  /** The verdict of these results; null where they lack a figure that the claim needs. */
  readonly verdict: Verdict | null
  /** One sentence: the claim's own where the verdict is the recorded one, else what was found. */
  readonly sentence: string
  readonly checks: readonly JudgedCheck[]
}

/** A figure and how it is written. */
interface Named {
  readonly value: Estimate
  readonly name: string
}

/**
 * Holds claims against the results of their experiment.
 * @param results of that experiment; null where it did not run
 * @param metrics the experiment's; without them every metric is taken to have no range
 */
export function judgeClaims(file: ClaimFile, results: Results | null, metrics: Metrics = {}): JudgedClaim[] {
  const why =
    results === null
      ? 'the experiment was not run'
      : results.settings.quick === true
        ? 'a quick run decides nothing'
        : null
  return file.claims.map(({ checks, verdict: recorded, ...claim }) => {
    const lacks = results && checks.map((check) => leftOut(check, results)).find((c) => c !== undefined)
    const reason = why ?? (lacks ? `the condition ${lacks} was not run` : null)
    const open = reason !== null || results === null
    const judged = open ? [] : checks.map((check) => judge(check, results, metrics))
    const verdict = open || checks.length === 0 ? 'not tested' : verdictOf(judged)
    const found = judged.map(({ text }) => text).join('; ')
    const sentence =
      verdict === recorded
        ? claim.because
        : reason !== null
          ? `${reason[0]?.toUpperCase()}${reason.slice(1)}.`
          : `Found: ${found}.`
    return {
      experiment: file.experiment,
      source: file.source,
      ...claim,
      recorded,
      verdict,
      sentence,
      checks: judged,
    }
  })
}

/** The condition that a check needs and the settings leave out. */
function leftOut({ ours, rule, ...check }: ClaimCheck, { settings }: Results): string | undefined {
  const { conditions } = settings
  if (!Array.isArray(conditions)) return undefined
  const paths = [ours, ...(rule !== 'agrees' && typeof check.than === 'string' ? [check.than] : [])]
  const owners = paths.map((path) => (path.split('/')[0] as string).replace(/^series:/, ''))
  return owners.find((owner) => !owner.startsWith('bound:') && !conditions.includes(owner))
}

function verdictOf(checks: readonly JudgedCheck[]): Verdict | null {
  const any = (outcome: JudgedCheck['outcome'], among = checks) => among.some((c) => c.outcome === outcome)
  if (any('missing')) return null
  const [mass, rest] = [
    checks.filter((c) => c.measure === 'mass'),
    checks.filter((c) => c.measure !== 'mass'),
  ]
  if (any('fails', rest)) return 'differs'
  if (any('not decidable')) return 'not decidable'
  if (!any('fails', mass)) return 'holds'
  return rest.length > 0 ? 'holds for accuracy only' : 'differs'
}

function judge(check: ClaimCheck, results: Results, metrics: Metrics): JudgedCheck {
  const ours = lookUp(check.ours, results)
  const other =
    check.rule === 'agrees'
      ? { value: check.published as Estimate, name: 'published' }
      : typeof check.than === 'number'
        ? { value: exactly(check.than), name: '' }
        : lookUp(check.than as string, results)
  if (!ours || !other) {
    const lacking = ours ? (check.than as string) : check.ours
    return { ...check, value: null, outcome: 'missing', text: `the results lack ${lacking}` }
  }
  const { outcome, words } = compare(check, ours, other, metrics)
  const { digits = 3 } = metrics[check.ours.split('/')[1] as string] ?? {}
  const one = check.published?.n === 1 ? ', one run' : ''
  const show = ({ value }: Named) =>
    value.n === EXACT
      ? String(Number(value.mean.toFixed(Math.max(4, digits))))
      : formatEstimate(value, { digits })
  const text = `${ours.name} ${show(ours)} ${words} ${[other.name, show(other)].filter(Boolean).join(' ')}${one}`
  // Endless runs are no JSON.
  const value = ours.value.n === EXACT ? { ...ours.value, n: 1 } : ours.value
  return { ...check, value, outcome, text }
}

function compare({ rule, ours: path, published }: ClaimCheck, ours: Named, other: Named, metrics: Metrics) {
  const metric = metrics[path.split('/')[1] as string] ?? { label: path, range: null }
  const [a, b] = [ours.value, other.value].map((e) => (metric.exact ? { ...e, std: e.std ?? 0 } : e)) as [
    Estimate,
    Estimate,
  ]
  if (rule === 'steadier') {
    if (a.std === null || b.std === null)
      return { outcome: 'not decidable', words: `is not decidable at n = ${a.n} against` } as const
    const steadier = a.std < b.std / 2
    return steadier
      ? ({ outcome: 'passes', words: 'spreads less than half as much as' } as const)
      : ({ outcome: 'fails', words: 'does not spread less than half as much as' } as const)
  }
  if (rule === 'above' || rule === 'below') {
    // One run has no spread to be outside of.
    if (a.std === null || b.std === null)
      return { outcome: 'not decidable', words: `is not decidable at n = ${a.n} against` } as const
    const apart = rule === 'above' ? a.mean - b.mean : b.mean - a.mean
    const passes = apart > 3 * Math.sqrt(a.std ** 2 / a.n + b.std ** 2 / b.n)
    return { outcome: passes ? 'passes' : 'fails', words: passes ? `is ${rule}` : `is not ${rule}` } as const
  }
  const agreement = agree(a, b, metric, published?.digits)
  if (agreement === 'not decidable')
    return { outcome: 'not decidable', words: `is not decidable at n = ${a.n} against` } as const
  const allowed = tolerance(a, b, metric, published?.digits) as number
  const within = allowed >= 10 ? allowed.toFixed(0) : allowed.toPrecision(2)
  return agreement === 'agrees'
    ? ({ outcome: 'passes', words: `agrees within ${within} with` } as const)
    : ({ outcome: 'fails', words: `differs by more than ${within} from` } as const)
}

/** A number without spread: known as if from endless runs. */
const EXACT = Number.POSITIVE_INFINITY
const exactly = (mean: number): Estimate => ({ mean, std: 0, n: EXACT })

function lookUp(path: string, { summary, bounds, runs }: Results): Named | null {
  const [owner, metric] = path.split('/') as [string, string]
  if (owner.startsWith('series:')) {
    const condition = owner.slice('series:'.length)
    const [name, index] = metric.split('@') as [string, string]
    const values = runs
      .filter((run) => run.condition === condition)
      .flatMap((run) => run.series[name]?.[Number(index)] ?? [])
    return values.length > 0 ? { value: estimate(values), name: `${condition} ${name} at ${index}` } : null
  }
  if (owner.startsWith('bound:')) {
    const bound = bounds.find((b) => b.name === owner.slice('bound:'.length) && b.metric === metric)
    return bound ? { value: exactly(bound.value), name: `the bound ${bound.name}` } : null
  }
  const row = summary.find((r) => r.condition === owner && r.metric === metric)
  return row ? { value: row.ours, name: `${owner} ${metric}` } : null
}
